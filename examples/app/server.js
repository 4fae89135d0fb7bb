// A small app: `/healthz` answers while the process is well, everything else shows the version. Change VERSION, push, and the
// next release has something to show.
const { createServer } = require("node:http");

const VERSION = "1";
const PORT = process.env.PORT || 8080;
const HEALTH = "/healthz"; // as infra/terraform/load-balancer asks for it

let stopping = false;

const server = createServer((request, response) => {
  if (stopping) response.setHeader("connection", "close");
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(request.url === HEALTH ? "ok\n" : `version ${VERSION}\n`);
});

// Longer than the load balancer's idle timeout of 60 s. Otherwise the app closes a connection that the load balancer is
// about to use, and that user gets a 502.
server.keepAliveTimeout = 65_000;
server.listen(PORT);

// ECS stops a task by SIGTERM. No new connections come then; the requests in progress get their answers.
process.on("SIGTERM", () => {
  stopping = true;
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
