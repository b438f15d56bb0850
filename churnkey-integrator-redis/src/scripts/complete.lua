-- Marks the attempt's record as done, unless another attempt has it by now.
--
-- KEYS: the attempt's first key. It holds the id of the attempt's record, as long as there is one.
-- ARGV: the namespace; the attempt's number.
local id = redis.call('GET', KEYS[1])
if not id then
    return
end
local record = ARGV[1] .. ':record:' .. id
if redis.call('HGET', record, 'attempt') == ARGV[2] then
    redis.call('HSET', record, 'done', '1')
end
