// The page: which of its parts is shown, and what its buttons do.

import { Conversation } from "./conversation.js";
import { Identity } from "./identity.js";
import { Lkps, Refused } from "./lkps.js";

const $ = (id) => document.getElementById(id);
const parts = ["signed-out", "ready", "talking"];

function showPart(id, focused) {
  for (const part of parts) $(part).hidden = part !== id;
  if (focused) $(focused).focus();
}

function say(text) {
  if ($("state").textContent !== text) $("state").textContent = text;
}

function showProblem(error) {
  $("problem").hidden = !error;
  if (!error) return;
  console.error(error);
  $("problem-text").textContent = readable(error);
  $("problem-details").textContent = error instanceof Refused ? `${error.code}, request ${error.requestId}` : "";
}

function readable(error) {
  if (error.name === "NotAllowedError") return "The microphone is not allowed. Allow it in the browser, and try again.";
  if (error.name === "NotFoundError") return "There is no microphone.";
  if (error instanceof TypeError) return "LKPS cannot be reached. Try again in a moment.";
  return error.message;
}

async function talk(lkps) {
  showProblem();
  $("talk").disabled = true;
  say("Connecting you…");
  const conversation = new Conversation(lkps, $("agent").value, {
    show: (text, doing) => {
      say(text);
      $("orb").dataset.state = doing;
    },
    over: (text) => {
      if ($("talking").hidden) return;
      showPart("ready", "talk");
      say(text);
    },
  });
  try {
    await conversation.begin();
    $("mute").setAttribute("aria-pressed", "false");
    $("mute").onclick = () => mute(conversation);
    $("end").onclick = () => conversation.end().catch(showProblem);
    showPart("talking", "end");
  } catch (error) {
    say("");
    showProblem(error);
  } finally {
    $("talk").disabled = false;
  }
}

async function mute(conversation) {
  const muted = $("mute").getAttribute("aria-pressed") !== "true";
  await conversation.mute(muted);
  $("mute").setAttribute("aria-pressed", String(muted));
}

async function start() {
  const configuration = await (await fetch("config.json")).json();
  const identity = await Identity.load(configuration);
  const lkps = new Lkps(configuration.lkpsUrl, () => identity.accessToken());
  for (const name of configuration.agents) $("agent").add(new Option(name));
  $("sign-in").onclick = () => identity.signIn().catch(showProblem);
  $("ready").onsubmit = (event) => {
    event.preventDefault();
    talk(lkps);
  };
  say("");
  if (!identity.name) return showPart("signed-out");
  $("who").textContent = `Signed in as ${identity.name}`;
  $("who").hidden = false;
  showPart("ready");
}

start().catch((error) => {
  say("");
  showProblem(error);
});
