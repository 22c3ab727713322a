-- For wrk, with one thread: takes whole requests of one length off a file, in order, so that none is sent twice.
local requests = io.open(os.getenv("REQUESTS"), "rb")
local bytes = tonumber(os.getenv("REQUEST_BYTES"))

request = function()
  return requests:read(bytes) or error("all requests are sent; make more of them")
end

done = function(summary, latency, _)
  local failed = summary.errors
  io.write(string.format(
    '{"answered": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    failed.status, failed.connect + failed.read + failed.write + failed.timeout))
end
