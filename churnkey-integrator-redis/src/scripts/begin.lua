-- Looks for the record of a request, and records the attempt. Returns what is known: a word of `Known`.
--
-- KEYS: those that identify the request, in the order in which they decide.
-- ARGV: the namespace; the attempt's number, fingerprint, now, runs_until and kept_until; '1' if the first key is the
-- signature's.
--
-- A key holds the id of a record: the number of the attempt that made it. A record is a hash, and the set of its keys is
-- beside it. Times are Unix milliseconds. Numbers of attempts stay texts, because a number here holds 53 bits only.
local namespace, number, fingerprint = ARGV[1], ARGV[2], ARGV[3]
local now, runs_until, kept_until = tonumber(ARGV[4]), ARGV[5], ARGV[6]
local is_signed = ARGV[7] == '1'
-- By the integration's clock, whatever time it is here.
local kept_for = tonumber(kept_until) - now

local function record_name(id) return namespace .. ':record:' .. id end
local function keys_name(id) return namespace .. ':keys:' .. id end

local id, record
for _, key in ipairs(KEYS) do
    local held = redis.call('GET', key)
    if held then
        local found = redis.call('HMGET', record_name(held), 'attempt', 'fingerprint', 'runs_until', 'kept_until', 'done')
        if found[1] and tonumber(found[4]) > now then
            id = held
            record = { attempt = found[1], fingerprint = found[2], runs_until = tonumber(found[3]), is_done = found[5] }
            break
        end
    end
end

if not id then
    redis.call('HSET', record_name(number),
        'attempt', number, 'fingerprint', fingerprint, 'runs_until', runs_until, 'kept_until', kept_until)
    redis.call('PEXPIRE', record_name(number), kept_for)
    redis.call('SADD', keys_name(number), unpack(KEYS))
    redis.call('PEXPIRE', keys_name(number), kept_for)
    for _, key in ipairs(KEYS) do
        redis.call('SET', key, number, 'PX', kept_for)
    end
    return 'new'
end

if record.fingerprint ~= fingerprint then
    return 'another-request'
end

if is_signed and redis.call('GET', KEYS[1]) ~= id then
    redis.call('SET', KEYS[1], id, 'PX', redis.call('PTTL', record_name(id)))
    redis.call('SADD', keys_name(id), KEYS[1])
end

if record.is_done then
    return 'done'
end
if record.attempt == number then
    -- The script was sent again, because the first answer to it was lost.
    return 'new'
end
if record.runs_until > now then
    return 'running'
end

redis.call('HSET', record_name(id), 'attempt', number, 'runs_until', runs_until, 'kept_until', kept_until)
redis.call('PEXPIRE', record_name(id), kept_for)
for _, key in ipairs(redis.call('SMEMBERS', keys_name(id))) do
    redis.call('PEXPIRE', key, kept_for)
end
redis.call('PEXPIRE', keys_name(id), kept_for)
return 'new'
