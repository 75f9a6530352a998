// The guide's component, or LiveKit's own source, for whoever's access token the test gives.
// It counts in `fetches` how often React asks the source for a token.

import { useSession } from "@livekit/components-react";
import * as LivekitClient from "livekit-client";
import { createRoot } from "react-dom/client";

import { conversations, Talk } from "./guide.jsx";
import { Lkps } from "./lkps.js";

globalThis.LivekitClient = LivekitClient;
globalThis.fetches = 0;

function counted(source) {
  const fetch = source.fetch.bind(source);
  source.fetch = (...options) => {
    globalThis.fetches += 1;
    return fetch(...options);
  };
  return source;
}

function Plain({ source, options }) {
  const session = useSession(source, options);
  return session.isConnected ? (
    <button onClick={() => session.end()}>End</button>
  ) : (
    <button onClick={() => session.start()}>Talk</button>
  );
}

globalThis.show = ({ url, accessToken, agentName, gated }) => {
  const root = createRoot(document.getElementById("root"));
  if (gated) {
    const talks = conversations(new Lkps(url, () => accessToken), agentName);
    counted(talks.source);
    root.render(<Talk talks={talks} />);
  } else {
    const headers = { Authorization: `Bearer ${accessToken}` };
    const source = counted(LivekitClient.TokenSource.endpoint(`${url}/api/session/start`, { headers }));
    root.render(<Plain source={source} options={{ agentName }} />);
  }
};
