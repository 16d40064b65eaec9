-- dispatch.lua: let the first message for a delivery onto the queue, and say what stops the others.
--
-- ARGV[4]  message_id        the same id passes again: a retry, or the sweeper's copy
-- ARGV[5]  message           encoded; kept, so that the sweeper can enqueue it again
-- ARGV[6]  window_ms         another message is refused for this long, unless the first is claimed
-- ARGV[7]  thread_ts         '' or the thread a nudge asks for
-- ARGV[8]  actor             '' when the request must have been accepted; else creates the record
-- ARGV[9]  queue             ARGV[10] marker    ARGV[11] expires_after_ms    ARGV[12] max_attempts
--
-- Returns {"first"} | {"duplicate", message_id} | {"in_progress", message_id}
--   | {"deferred", until_ms} | {"settled", outcome} | {"unknown"} | {"thread_conflict", thread_ts}

local message_id, window_ms, thread_ts = ARGV[4], tonumber(ARGV[6]), ARGV[7]

if not record.state then
  if ARGV[8] == '' then return {'unknown'} end
  -- As in accept.lua.
  redis.call('DEL', history)
  change({state = 'waiting', marker = ARGV[10], actor = ARGV[8], queue = ARGV[9], not_before = 0,
    expires_at = now + tonumber(ARGV[11]), accepted_at = now, attempts = 0, returns = 0,
    dispatches = 0, max_attempts = ARGV[12], priority = 'normal',
    thread_ts = thread_ts ~= '' and thread_ts, epoch = epoch[1]})
  count('waiting')
  note('accepted', {})
end

if TERMINAL[record.state] then return {'settled', record.state} end
if record.state == 'waiting' and past_expiry() then
  finish_expired()
  return {'settled', record.state}
end
if thread_ts ~= '' and thread_ts ~= record.thread_ts then
  if record.thread_ts or record.state ~= 'waiting' then
    return {'thread_conflict', record.thread_ts or ''}
  end
  change({thread_ts = thread_ts})
end

local is_own = record.message_id == message_id
local is_other_in_window = record.message_id and not is_own and now < number('due')

local function let_pass(latest_due)
  if is_own then return {'first'} end
  due_at(math.min(now + window_ms, latest_due))
  change({message_id = message_id, message = ARGV[5]})
  note('dispatched', {message_id = string.sub(message_id, 1, 8)})
  return {'first'}
end

if record.state == 'waiting' then
  local not_before = number('not_before')
  if not_before > now then return {'deferred', whole(not_before)} end
  if is_other_in_window then
    note_refusal('dispatch refused', {message_id = string.sub(message_id, 1, 8)})
    return {'duplicate', record.message_id}
  end
  if not is_own then count('waiting') end
  return let_pass(number('expires_at'))
end

local look_from =
  math.max(number('reconcile_at'), number('not_before'), number('lease_until'))
if record.state == 'uncertain' and now >= look_from and not is_other_in_window then
  return let_pass(math.huge)
end
if is_own then return {'first'} end
note_refusal('dispatch refused', {message_id = string.sub(message_id, 1, 8)})
return {'in_progress', record.message_id or ''}
