/** How the authorization server keeps its things in the bank's store. */
import { errors } from 'oidc-provider';

import { endConsent } from './consents.js';

/** @param {import('./store.js').Store} store */
export function makeAdapter(store) {
  return class Adapter {
    /** @param {string} kind the server's name of the model */
    constructor(kind) {
      this.kind = kind;
    }

    async upsert(id, payload, expiresIn) {
      const until = expiresIn === undefined ? undefined : Math.floor(Date.now() / 1000) + expiresIn;
      store.put(this.kind, id, payload, until);
      await store.settled();
    }

    async find(id) {
      return store.find(this.kind, id);
    }

    async findByUid(uid) {
      return store.all(this.kind).find((payload) => payload.uid === uid);
    }

    async findByUserCode() {
      return undefined;   // there is no device flow here
    }

    /** A code or refresh token is used up once, even when two requests bring it at the same moment. */
    async consume(id) {
      const payload = store.find(this.kind, id);
      if (!payload || payload.consumed) throw new errors.InvalidGrant('already used');
      store.put(this.kind, id, { ...payload, consumed: Math.floor(Date.now() / 1000) }, payload.exp);
      await store.settled();
    }

    async destroy(id) {
      store.drop(this.kind, id);
      if (this.kind === 'Grant') endConsent(store, id);
      await store.settled();
    }

    async revokeByGrantId(grantId) {
      store.dropOfGrant(this.kind, grantId);
      await store.settled();
    }
  };
}
