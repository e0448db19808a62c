/** The platform's side of LTI Client Side postMessages 1.0: a tool whose cookies are shut out keeps its state with the page that opened it. */

const MOST_KEYS = 500;
const MOST_TEXT = 4096;
const SUBJECTS = ["lti.capabilities", "lti.put_data", "lti.get_data"];

type Asked = { subject: string; message_id: string; key?: unknown; value?: unknown };
type Said = Record<string, unknown>;

export function startTools(page: HTMLElement): void {
  const origins = new Set((page.dataset["ltiStorage"] ?? "").split(" ").filter(Boolean));
  const kept = new Map<string, Map<string, string>>();
  window.addEventListener("message", (event) => {
    if (!origins.has(event.origin) || !event.source || !isAsked(event.data)) return;
    const asked = event.data;
    const store = kept.get(event.origin) ?? new Map<string, string>();
    kept.set(event.origin, store);
    const said = { subject: `${asked.subject}.response`, message_id: asked.message_id, ...answerTo(asked, store) };
    event.source.postMessage(said, { targetOrigin: event.origin });
  });
}

function isAsked(data: unknown): data is Asked {
  if (typeof data !== "object" || data === null) return false;
  const { subject, message_id } = data as Said;
  return typeof subject === "string" && subject.startsWith("lti.") && !subject.endsWith(".response") && typeof message_id === "string";
}

function answerTo(asked: Asked, store: Map<string, string>): Said {
  if (asked.subject === "lti.capabilities") return { supported_messages: SUBJECTS.map((subject) => ({ subject })) };
  if (!SUBJECTS.includes(asked.subject)) return fault("unsupported_subject", "this subject is not supported");
  const { key, value } = asked;
  if (typeof key !== "string" || key === "" || key.length > MOST_TEXT) return fault("bad_request", "key must be text");
  if (asked.subject === "lti.get_data") return { key, value: store.get(key) ?? null };
  return put(key, value, store);
}

function put(key: string, value: unknown, store: Map<string, string>): Said {
  if (value === null || value === undefined) {
    store.delete(key);
    return { key, value: null };
  }
  if (typeof value !== "string") return fault("bad_request", "value must be text");
  if (value.length > MOST_TEXT || (!store.has(key) && store.size >= MOST_KEYS)) return fault("storage_exhaustion", "too much is kept");
  store.set(key, value);
  return { key, value };
}

function fault(code: string, message: string): Said {
  return { error: { code, message } };
}
