-- quarantine.lua: set a bad event aside for a person, and move the position past it.
--
-- KEYS[2]  quarantine  stream: where bad events stand in the log, and what was wrong
-- ARGV[5]  error       class and codes, never text of the event
-- ARGV[6]  limit       about so many are kept, the latest
--
-- Returns {"applied"} | {"seen"} | {"gap", folded_id}

local hindered = hindrance()
if hindered then return hindered end

redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], '*', 'stream', stream, 'id', event_id,
  'error', ARGV[5])
return advance()
