-- What the benchmarks send through wrk: RK_WORKLOAD names it, over keys 0 .. RK_KEYS - 1, with values of RK_VALUE_BYTES;
-- a connection waits RK_DELAY_MS before each request. Requests are put together by hand, since wrk.format would cost more
-- than the server.
local workload = os.getenv("RK_WORKLOAD")
local n_keys = tonumber(os.getenv("RK_KEYS"))
local n_connections = tonumber(os.getenv("RK_CONNECTIONS"))
local value = string.rep("fifteen bytes!!", 1 + tonumber(os.getenv("RK_VALUE_BYTES")) / 15)
   :sub(1, tonumber(os.getenv("RK_VALUE_BYTES")))
local delay_ms = tonumber(os.getenv("RK_DELAY_MS"))

local head = " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
local put_head = " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " .. #value .. "\r\n\r\n" .. value

local formats = {
   ["get"] = function(key) return "GET /v1/kv/key" .. key .. head end,
   ["put"] = function(key) return "PUT /v1/kv/key" .. key .. put_head end,
   ["legacy-get"] = function(key) return "GET /get?key=key" .. key .. head end,
   ["legacy-put"] = function(key) return "GET /put?key=key" .. key .. "&val=fifteen_bytes__" .. head end,
}
local format = formats[workload == "load" and "put" or workload]

local n_setup = 0
function setup(thread)
   thread:set("id", n_setup)
   n_setup = n_setup + 1
end

if delay_ms > 0 then
   delay = function() return delay_ms end
end

-- "load" writes every key once and then ends wrk, which would otherwise wait for its time to be over: for one thread only.
local n_answers = 0
function init()
   math.randomseed(id + 1)
   if workload == "load" then
      local next_key = 0
      request = function()
         local key = next_key
         next_key = (key + 1) % n_keys
         return format(key)
      end
      response = function(status)
         n_answers = n_answers + 1
         if n_answers == n_keys + n_connections then
            io.write("RESULT all keys written\n")
            io.flush()
            os.exit(0)
         end
      end
   else
      local random = math.random
      request = function() return format(random(0, n_keys - 1)) end
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format("RESULT requests=%d seconds=%.3f errors=%d p50_us=%d p99_us=%d p999_us=%d\n", summary.requests,
      summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.timeout + errors.status,
      latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
