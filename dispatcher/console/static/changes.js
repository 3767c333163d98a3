// One stream for all tabs: whichever holds the lock reads it and tells the others. A browser keeps only six lines to a
// host, and a stream takes one for good.

const AGAIN_MS = 2000;
const OVER = [401, 403];

class Live extends EventTarget {
  constructor() {
    super();
    this.channel = new BroadcastChannel("changes");
    this.channel.onmessage = ({ data }) => this.told(data);
    navigator.locks.request("changes", () => new Promise(() => this.read()));
    this.channel.postMessage({ asked: true }); // a page opened beside others learns how the line stands
  }

  // The first of several tabs: told to all, this one too.
  tell(message) {
    this.last = message.state ?? this.last;
    this.channel.postMessage(message);
    this.told(message);
  }

  told({ state, ids, asked }) {
    if (asked && this.source) this.channel.postMessage({ state: this.last });
    if (state !== undefined) this.dispatchEvent(new CustomEvent("state", { detail: state }));
    if (ids) this.dispatchEvent(new CustomEvent("changes", { detail: ids }));
  }

  read() {
    this.source = new EventSource("/console/changes");
    // begun, or begun again: whatever has happened in between is drawn anew
    this.source.addEventListener("begun", () => {
      this.tell({ state: true });
      this.tell({ ids: ["*"] });
    });
    this.source.onmessage = ({ data }) => this.tell({ ids: data.split(" ") });
    this.source.onerror = () => {
      this.tell({ state: false });
      if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.readAgain(), AGAIN_MS);
    };
  }

  // It was refused, which is final to a browser. Only when the session is over the page goes; a ledger that does not
  // answer, or too many streams, is for a moment.
  async readAgain() {
    const asking = new AbortController();
    const answer = await fetch("/console/changes", { signal: asking.signal }).catch(() => null);
    asking.abort();
    answer && OVER.includes(answer.status) ? location.reload() : this.read();
  }
}

export const live = new Live();

// Call `draw(ids)` for what has changed, at once and then at most every `everyMs`; null stands for everything.
export function whenChanged(everyMs, draw) {
  let waiting = new Set();
  let all = false;
  let busy = false;
  async function turn() {
    if (busy || (!all && !waiting.size)) return;
    const ids = all ? null : [...waiting];
    [waiting, all, busy] = [new Set(), false, true];
    try {
      await draw(ids);
    } catch {
      ids ? ids.forEach((id) => waiting.add(id)) : (all = true); // tried again: nothing is left undrawn
    }
    setTimeout(() => {
      busy = false;
      turn();
    }, everyMs);
  }
  live.addEventListener("changes", ({ detail }) => {
    for (const id of detail) id === "*" ? (all = true) : waiting.add(id);
    turn();
  });
  setInterval(() => {
    all = true; // clocks go in and out of their hours without anything happening
    turn();
  }, 60000);
}
