-- settle_sent.lua: record a receipt: a fact, taken from anyone, at any time.
--
-- ARGV[4]  token    of the claim that got it
-- ARGV[5]  receipt  opaque; equal receipts are the same post
--
-- Returns {"ok"} | {"late"} (no longer the holder, taken all the same)
--   | {"late_post"} (posted though recorded as never posted) | {"duplicate_post"} (posted twice)

local token, receipt = ARGV[4], ARGV[5]

-- The token of the last claim stays, so that a late receipt asked again is late again.
local function taken() return {is_holder(token) and 'ok' or 'late'} end

local function alert(answer)
  if record.stray_receipt ~= receipt then
    change({stray_receipt = receipt})
    note(answer, {receipt = receipt})
    tell(answer, receipt)
  end
  return {answer}
end

if not record.state then
  change({attempts = 0, accepted_at = now})
  finish('sent', {receipt = receipt})
  return alert('late_post')
end
if record.state == 'sent' then
  if record.receipt ~= receipt then return alert('duplicate_post') end
  -- Both at once only where there was no request: asked again, it still answers to none.
  if record.stray_receipt == receipt then return {'late_post'} end
  return taken()
end
if TERMINAL[record.state] and record.state ~= 'unproven' then return alert('late_post') end

finish('sent', {receipt = receipt, error = false, reason = false})
return taken()
