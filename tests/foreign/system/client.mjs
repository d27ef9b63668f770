// A client service in another language: a retry inside a breaker, and its events at GET /events.
// What it writes, and when, is said in docs/reference/event-schema.md.
import http from "node:http";

const { ATLAS_SERVICE, ATLAS_INCARNATION = "1", ATLAS_PORTAL_ADDRESS } = process.env;
const SCALE = Number(process.env.ATLAS_TIME_SCALE ?? "1");
const STORE_PATH = "/arcgis/rest/services/WI/county/FeatureServer/0/query?f=geojson";
const LINK = `${ATLAS_SERVICE} -> portal_wi`;
const ATTEMPTS = 3, BACKOFF_S = 0.02 * SCALE, ATTEMPT_TIMEOUT_S = 0.5;
const FAILURES = 5, OPEN_S = 1 * SCALE, TRIALS = 1;

// CLOCK_MONOTONIC, as the harness reads it; "own" plays a runtime that counts from its start.
const ORIGIN_NS = process.env.CLIENT_CLOCK === "own" ? process.hrtime.bigint() : 0n;
const nowNs = () => process.hrtime.bigint() - ORIGIN_NS;

const events = {
  seq: 0,
  readers: new Set(),
  emit(kind, fields) {
    // Nanoseconds leave the safe integers of JavaScript after 104 days: they are written as text.
    const envelope = `{"t_ns":${nowNs()},"seq":${this.seq++},"service":"${ATLAS_SERVICE}"`;
    const more = Object.entries({ incarnation: ATLAS_INCARNATION, kind, ...fields })
      .map(([name, value]) => `${JSON.stringify(name)}:${json(value)}`).join(",");
    for (const reader of this.readers) {
      if (reader.writableLength > 4 << 20) reader.destroy(); // a slow reader delays nobody
      else reader.write(`${envelope},${more}}\n`);
    }
  },
  clock() {
    this.emit("clock", { schema: 1, wall_unix_ns: BigInt(Date.now()) * 1_000_000n });
  },
};
const json = (value) => (typeof value === "bigint" ? `${value}` : JSON.stringify(value ?? null));

const breaker = {
  state: "closed", failures: 0, generation: 0, trials: 0, opened: 0n,
  admits() {
    if (this.state === "open" && Number(nowNs() - this.opened) >= OPEN_S * 1e9) {
      this.move("half_open", "open time over");
    }
    if (this.state === "closed") return true;
    if (this.state === "open" || this.trials >= TRIALS) return false;
    this.trials += 1;
    return true;
  },
  record(isGood, admittedIn) {
    if (admittedIn !== this.generation) return; // a call of an earlier state decides nothing
    if (this.state === "half_open") this.move(isGood ? "closed" : "open", "trial ended");
    else if (isGood) this.failures = 0;
    else if ((this.failures += 1) >= FAILURES) this.move("open", "failures in a row");
  },
  move(to, reason) {
    const from = this.state;
    Object.assign(this, { state: to, failures: 0, trials: 0, generation: this.generation + 1 });
    events.emit("breaker", {
      name: "client-portal", link: LINK, from_state: from, to_state: to,
      generation: this.generation, reason,
    });
    this.opened = nowNs(); // after the event, so that it never looks too short
  },
};

function ask(callId, attempt) {
  const [host, port] = ATLAS_PORTAL_ADDRESS.split(":");
  const headers = { "x-atlas-call-id": callId, "x-atlas-attempt": attempt };
  return new Promise((resolve) => {
    const options = { host, port, path: STORE_PATH, headers, agent: false };
    const request = http.get(options, (answer) => {
      answer.on("error", () => resolve({ error: "network" }));
      answer.on("end", () => resolve({ status: answer.statusCode }));
      answer.resume();
    });
    request.on("error", () => resolve({ error: "network" }));
    const patience = setTimeout(() => {
      resolve({ error: "timeout" });
      request.destroy();
    }, ATTEMPT_TIMEOUT_S * 1000);
    request.on("close", () => clearTimeout(patience));
  });
}

async function retried(callId) {
  let backoff_s = 0;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (attempt > 1) {
      backoff_s = BACKOFF_S * 2 ** (attempt - 2);
      await new Promise((resolve) => setTimeout(resolve, backoff_s * 1000));
    }
    const started_ns = nowNs();
    const { status, error } = await ask(callId, attempt);
    const isGood = status === 200;
    events.emit("attempt", {
      link: LINK, call_id: callId, attempt, started_ns, outcome: isGood ? "ok" : "failed",
      error_class: error ?? (isGood ? null : "server"), status, backoff_s,
    });
    if (isGood) return true;
  }
  events.emit("retry_exhausted", { operation: "ask", call_id: callId, attempts: ATTEMPTS });
  return false;
}

const counts = { primary: 0, breaker: 0, failed: 0 };
async function serve(request, response) {
  const callId = request.headers["x-atlas-call-id"] ?? `own-${events.seq}`;
  const started_ns = nowNs();
  const headers = { "x-atlas-call-id": callId };
  let status = 200;
  if (!breaker.admits()) {
    status = 503;
    headers["x-atlas-rejected-by"] = "breaker";
    headers["retry-after"] = Math.ceil(OPEN_S);
  } else {
    const admittedIn = breaker.generation;
    const isGood = await retried(callId);
    breaker.record(isGood, admittedIn);
    if (isGood) headers["x-atlas-source"] = "primary";
    else status = 502;
  }
  counts[headers["x-atlas-rejected-by"] ?? headers["x-atlas-source"] ?? "failed"] += 1;
  response.writeHead(status, headers).end(String(status));
  events.emit("request", {
    call_id: callId, method: request.method, path: request.url, started_ns, status,
    source: headers["x-atlas-source"], rejected_by: headers["x-atlas-rejected-by"], client: null,
  });
}

const metrics = () => ["# TYPE client_answers_total counter"].concat(
  Object.entries(counts).map(([by, count]) => `client_answers_total{by="${by}"} ${count}`),
  "# TYPE circuit_breaker_state gauge",
  `circuit_breaker_state{name="client-portal"} ${["closed", "open", "half_open"].indexOf(breaker.state)}`,
).join("\n") + "\n";

const server = http.createServer((request, response) => {
  if (request.url === "/ready") return response.end("ready");
  if (request.url === "/metrics") return response.end(metrics());
  if (request.url !== "/events") return serve(request, response);
  events.readers.add(response.writeHead(200, { "content-type": "application/x-ndjson" }));
  response.on("close", () => events.readers.delete(response));
  events.clock(); // each stream opens with a fresh one
});
setInterval(() => events.clock(), 1000);
process.on("SIGTERM", () => {
  for (const reader of events.readers) reader.end();
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
server.listen(Number(process.env.ATLAS_PORT), process.env.ATLAS_HOST);
