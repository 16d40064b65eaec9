-- settle_sent.lua: record receipts: facts, taken from anyone, at any time.
--
-- ARGV[4]    token     of the claim that got them
-- ARGV[5]    receipts  how many: the first is the outcome, unless there is one already; the others
--                      are further posts of the same delivery
-- ARGV[6...] receipt   opaque; equal receipts are the same post
--
-- Returns what became of the first:
--   {"ok"} | {"late"} (no longer the holder, taken all the same)
--   | {"late_post"} (posted though recorded as never posted) | {"duplicate_post"} (posted twice)

local token = ARGV[4]

-- The token of the last claim stays, so that a late receipt asked again is late again.
local function taken() return {is_holder(token) and 'ok' or 'late'} end

local function is_stray(receipt)
  local known = '\n' .. (record.stray_receipts or '') .. '\n'
  return string.find(known, '\n' .. receipt .. '\n', 1, true)
end

local function alert(answer, receipt)
  if not is_stray(receipt) then
    local known = record.stray_receipts
    change({stray_receipts = known and known .. '\n' .. receipt or receipt})
    note(answer, {receipt = receipt})
    tell(answer, {receipt = receipt})
  end
  return {answer}
end

local function settle(receipt)
  if not record.state then
    change({attempts = 0, accepted_at = now})
    finish('sent', {receipt = receipt})
    return alert('late_post', receipt)
  end
  if record.state == 'sent' then
    if record.receipt ~= receipt then return alert('duplicate_post', receipt) end
    -- Both at once only where there was no request: asked again, it still answers to none.
    if is_stray(receipt) then return {'late_post'} end
    return taken()
  end
  if TERMINAL[record.state] and record.state ~= 'unproven' then
    return alert('late_post', receipt)
  end
  finish('sent', {receipt = receipt, error = false, reason = false})
  return taken()
end

local answer = settle(ARGV[6])
for place = 7, 5 + tonumber(ARGV[5]) do settle(ARGV[place]) end
return answer
