-- Records a signed read. Returns 1 if it was not there yet, also if this very call has recorded it before.
--
-- KEYS: the read's key. ARGV: the number of the call; for how many milliseconds the read is kept.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
    return 1
end
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return 1
end
return 0
