-- forget_consumers.lua: remove a group's consumers that hold nothing and were not seen for long.
--
-- KEYS[1]  outcomes  stream
-- ARGV[1]  group     ARGV[2] idle_ms
--
-- Returns {"ok"}

for _, about in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for place = 1, #about, 2 do consumer[about[place]] = about[place + 1] end
  -- One that still holds outcomes must stay: removing it would drop them unacknowledged.
  if consumer.pending == 0 and consumer.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
  end
end
return {'ok'}
