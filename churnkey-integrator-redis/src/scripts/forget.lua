-- Removes the attempt's record, unless it is done or another attempt has it by now.
--
-- KEYS: the attempt's first key. It holds the id of the attempt's record, as long as there is one.
-- ARGV: the namespace; the attempt's number.
local id = redis.call('GET', KEYS[1])
if not id then
    return
end
local record, keys = ARGV[1] .. ':record:' .. id, ARGV[1] .. ':keys:' .. id
local found = redis.call('HMGET', record, 'attempt', 'done')
if found[1] ~= ARGV[2] or found[2] then
    return
end
for _, key in ipairs(redis.call('SMEMBERS', keys)) do
    -- A key whose record was past its time for another process holds the id of a later one.
    if redis.call('GET', key) == id then
        redis.call('DEL', key)
    end
end
redis.call('DEL', record, keys)
