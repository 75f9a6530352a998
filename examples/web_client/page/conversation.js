// A conversation with an agent: its room, what is heard in it, and how the agent is.

const EVERY_MS = 1000;

const SHOWN = {
  dispatched: (session) => (session.agent_dispatches > 1 ? "One moment, connecting you again…" : "Connecting you…"),
  joined: () => "Connected",
  left: (session) =>
    ["failed", "vanished"].includes(session.agent_outcome) && session.agent_dispatches < 3
      ? "One moment…"
      : "The agent has left.",
  absent: (session) => (session.agent_dispatches < 3 ? "One moment…" : "Nobody can come just now."),
  offline: () => "Nobody is there just now.",
};
const DOING = {
  initializing: "The agent is getting ready…",
  idle: "Connected",
  listening: "The agent is listening.",
  thinking: "The agent is thinking…",
  speaking: "The agent is speaking.",
};

export class Conversation {
  #lkps;
  #session;
  #room = new LivekitClient.Room();
  #asking;

  // `show(text, doing)` is called whenever the agent's state is another, `over(text)` once at the end.
  constructor(lkps, agentName, { show, over }) {
    this.#lkps = lkps;
    this.#session = lkps.conversation(agentName);
    this.show = show;
    this.over = over;
  }

  async begin() {
    this.#listen();
    const { serverUrl, participantToken } = await this.#session.source.fetch({});
    try {
      await this.#room.connect(serverUrl, participantToken);
      await this.#room.localParticipant.setMicrophoneEnabled(true);
    } catch (error) {
      await this.end();
      throw error;
    }
    await this.#ask();
  }

  async mute(muted) {
    await this.#room.localParticipant.setMicrophoneEnabled(!muted);
  }

  async end() {
    const id = this.#session.sessionId;
    if (id) await this.#lkps.end(id);
    await this.#room.disconnect();
  }

  #listen() {
    const { RoomEvent } = LivekitClient;
    const audible = new Map();
    this.#room
      .on(RoomEvent.TrackSubscribed, (track) => {
        if (track.kind !== "audio") return;
        const element = track.attach();
        audible.set(track.sid, element);
        document.body.append(element);
      })
      .on(RoomEvent.TrackUnsubscribed, (track) => audible.get(track.sid)?.remove())
      .on(RoomEvent.ParticipantConnected, () => this.#showAgent())
      .on(RoomEvent.ParticipantAttributesChanged, () => this.#showAgent())
      .on(RoomEvent.ParticipantDisconnected, () => this.#ask())
      .on(RoomEvent.Disconnected, () => {
        clearTimeout(this.#asking);
        for (const element of audible.values()) element.remove();
        this.over("The conversation is over.");
      });
  }

  get #agent() {
    return [...this.#room.remoteParticipants.values()].find((one) => one.isAgent);
  }

  #showAgent() {
    const doing = this.#agent?.attributes["lk.agent.state"];
    if (this.#agent) this.show(DOING[doing] ?? "Connected", doing ?? "listening");
  }

  // While the agent is not there, LKPS knows why, and asking makes it see to that.
  async #ask() {
    clearTimeout(this.#asking);
    if (this.#room.state !== "connected") return;
    if (this.#agent) return this.#showAgent();
    try {
      const session = await this.#lkps.session(this.#session.sessionId);
      this.show(SHOWN[session.agent_status]?.(session) ?? "Connecting you…", "connecting");
    } catch {
      // asked again
    }
    this.#asking = setTimeout(() => this.#ask(), EVERY_MS);
  }
}
