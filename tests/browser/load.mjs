// Sends requests at a rate over connections that stay open, from accounts in turn, and prints a line of JSON at the end:
//
//   node load.mjs ORIGIN REQUESTS_PER_SECOND SECONDS ACCOUNTS

import http from "node:http";

const [origin, rate, seconds, accounts] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
const total = rate * seconds;
const startedAt = performance.now();
let sent = 0;
let answered = 0;

/** Requests that wait for a response at most: a server that is slower than the rate gets no more. */
const OPEN_MAX = 64;

function send() {
  const headers = { authorization: `Bearer load-${sent % accounts}` };
  sent += 1;
  http.get(`${origin}/api/v2/orders/${sent}`, { agent, headers }, (response) => {
    response.resume();
    response.on("end", () => {
      answered += 1;
      if (answered === total) finish();
    });
  });
}

function finish() {
  clearInterval(timer);
  const elapsed = (performance.now() - startedAt) / 1000;
  console.log(JSON.stringify({ answered, rate: Math.round(answered / elapsed), seconds: Math.round(elapsed * 10) / 10 }));
  agent.destroy();
}

const timer = setInterval(() => {
  const due = Math.min(total, ((performance.now() - startedAt) / 1000) * rate);
  while (sent < due && sent - answered < OPEN_MAX) send();
}, 5);
