-- What wrk asks: `get` the paths that a file lists, in turn; or `file` tickets, each with a key and
-- a text of its own. Arguments: which of both, a token, the file, and a word that makes keys unlike
-- those of other runs.
local what, word, count, paths = nil, nil, 0, {}

local body = '{"kind":"request","category":"water.burst_pipe","channel":"page",'
  .. '"visibility":"private","area":"340603008002.e1.g1.b1",'
  .. '"description":"三楼楼道水管漏水，从早上起一直没有人来修（%s %s）"}'

function init(args)
  what, word = args[1], args[4]
  wrk.headers["Authorization"] = "Bearer " .. args[2]
  wrk.headers["Accept-Language"] = "zh-CN"
  for line in io.lines(args[3]) do paths[#paths + 1] = line end
end

-- Letters alone: digits may look like a phone number, which is masked.
local function letters(number)
  local text = ""
  repeat
    text = string.char(97 + number % 26) .. text
    number = math.floor(number / 26)
  until number == 0
  return text
end

function request()
  count = count + 1
  if what == "get" then
    return wrk.format("GET", paths[count % #paths + 1])
  end
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Idempotency-Key"] = word .. "-" .. count
  return wrk.format("POST", "/api/v1/tickets", nil, body:format(word, letters(count)))
end

function done(summary, latency, _)
  local failed = summary.errors
  io.write(string.format(
    'JSON {"requests": %d, "seconds": %f, "refused": %d, "broken": %d, "p50": %f, "p99": %f}\n',
    summary.requests, summary.duration / 1e6, failed.status,
    failed.connect + failed.read + failed.write + failed.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
