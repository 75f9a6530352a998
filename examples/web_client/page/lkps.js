// LKPS, as a page needs it: one session for each conversation, and refusals that can be read.

export class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail ?? problem.title ?? `LKPS answered ${status}`);
    this.code = problem.code ?? String(status);
    this.requestId = problem.request_id ?? "unknown";
  }
}

export class Lkps {
  constructor(url, accessToken) {
    this.url = url;
    this.accessToken = accessToken;
  }

  // A conversation, whose `source` is a LiveKit TokenSource. However often LiveKit fetches from it,
  // it is one session: a repeated start has the same key, and later it is a token again.
  conversation(agentName) {
    const key = crypto.randomUUID();
    const conversation = { sessionId: undefined };
    conversation.source = LivekitClient.TokenSource.custom(async () => {
      const answer = conversation.sessionId
        ? await this.#call("POST", `session/${conversation.sessionId}/token`)
        : await this.#call("POST", "session/start", { agent_name: agentName }, { "Idempotency-Key": key });
      conversation.sessionId = answer.session_id;
      return { serverUrl: answer.server_url, participantToken: answer.participant_token };
    });
    return conversation;
  }

  session(id) {
    return this.#call("GET", `session/${id}`);
  }

  end(id) {
    return this.#call("POST", `session/${id}/end`);
  }

  async #call(method, path, body, headers = {}) {
    const answer = await fetch(`${this.url}/api/${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${await this.accessToken()}`,
        ...(body && { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
    const content = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(content, answer.status);
    return content;
  }
}
