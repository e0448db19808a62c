// Verify a credential with the implementation of Digital Bazaar: {credential, issuer, contexts} as JSON on stdin, the outcome on stdout.
import { readFileSync } from "node:fs";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import { cryptosuite } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";
import * as vc from "@digitalbazaar/vc";

const { credential, issuer, contexts } = JSON.parse(readFileSync(0, "utf-8"));

async function documentLoader(url) {
  const found = (document) => ({ contextUrl: null, documentUrl: url, document });
  if (url in contexts) return found(contexts[url]);
  if (url === issuer.id) return found(issuer);
  const method = issuer.verificationMethod.find((one) => one.id === url);
  if (method) return found({ "@context": "https://w3id.org/security/multikey/v1", ...method });
  throw new Error(`unknown document ${url}`);
}

const outcome = await vc.verifyCredential({
  credential,
  suite: new DataIntegrityProof({ cryptosuite }),
  documentLoader,
  checkStatus: async () => ({ verified: true }),
});
const faults = (outcome.error?.errors ?? [outcome.error]).filter(Boolean).map((fault) => `${fault.name}: ${fault.message} ${fault.cause ?? ""}`);
console.log(JSON.stringify({ verified: outcome.verified, faults }));
