-- For wrk: signed calls in turns. The argument is a file with a call in each line: path, timestamp, signature, mode.

local calls = {}
local at = 0

function init(args)
    for line in io.lines(args[1]) do
        local path, timestamp, signature, mode = line:match("^(%S+) (%S+) (%S+) (%S+)$")
        local headers = {
            ["X-Churnkey-Timestamp"] = timestamp,
            ["X-Churnkey-Signature"] = signature,
            ["X-Churnkey-Mode"] = mode,
        }
        calls[#calls + 1] = wrk.format("GET", path, headers)
    end
end

function request()
    at = at % #calls + 1
    return calls[at]
end

function done(summary)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format("\nanswers %d microseconds %d failed %d\n", summary.requests, summary.duration, failed))
end
