// Who talks: a person who signs in to Entra ID, through this page's own application.

export class Identity {
  #entra;
  #request;

  static async load({ authority, tenantId, clientId, apiClientId }) {
    const identity = new Identity();
    identity.#entra = new msal.PublicClientApplication({
      auth: {
        clientId,
        authority: `${authority}/${tenantId}`,
        knownAuthorities: [new URL(authority).host],
        redirectUri: `${location.origin}/`,
      },
    });
    identity.#request = { scopes: [`${apiClientId}/Session.Start`] };
    await identity.#entra.initialize();
    const back = await identity.#entra.handleRedirectPromise();
    const account = back?.account ?? identity.#entra.getAllAccounts()[0];
    if (account) identity.#entra.setActiveAccount(account);
    return identity;
  }

  get name() {
    return this.#entra.getActiveAccount()?.username;
  }

  // Leaves the page; the next `load` finds who came back.
  signIn() {
    return this.#entra.loginRedirect(this.#request);
  }

  // From memory while it is good; leaves the page when the person has to sign in again.
  async accessToken() {
    try {
      return (await this.#entra.acquireTokenSilent(this.#request)).accessToken;
    } catch (error) {
      if (!(error instanceof msal.InteractionRequiredAuthError)) throw error;
      await this.#entra.acquireTokenRedirect(this.#request);
      throw error;
    }
  }
}
