"""The log's rules, run inside Redis where nothing can come between a look and a write.

Each script keeps to one log. An entry has the fields `event`, `data` and `at` (Unix ms); the first one
also `owner`, `session_id` and `traceparent`; the first one of an attempt also `failures`, the `writer` it
belongs to and the `resume` that its job goes on with. Every append is announced on the channel as
`{job_id} {previous id} {id} {at} {event}\\n{data}`, in the same step, so a refused write is never heard.
A log that was removed for good is announced as its job id alone.
"""

CHANNEL = "chat:feed"

_ANNOUNCE = f"""
local function announce(job, previous, id, at, event, data)
  local head = job .. ' ' .. previous .. ' ' .. id .. ' ' .. at .. ' ' .. event
  redis.call('PUBLISH', '{CHANNEL}', head .. '\\n' .. data)
end
local function add(key, id, event, data, at, ...)
  return redis.call('XADD', key, 'NOMKSTREAM', id, 'event', event, 'data', data, 'at', at, ...)
end
local function field(entry, name)
  for i = 1, #entry[2], 2 do
    if entry[2][i] == name then return entry[2][i + 1] end
  end
end
local function ended(event)
  return event == 'done' or event == 'error' or event == 'cancelled'
end
"""

# KEYS: log  ARGV: at, queued, owner, session_id, traceparent, ttl_s
CREATE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('XADD', KEYS[1], '0-1', 'event', 'queued', 'data', ARGV[2], 'at', ARGV[1],
  'owner', ARGV[3], 'session_id', ARGV[4], 'traceparent', ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[6])
return 1
"""

# KEYS: log  ARGV: job, at, expected length, attempt, first seq, previous id, end ttl_s or '', lease lost,
# failures, writer and resume for the attempt's first entry, then event and data of each entry.
# A later entry never overtakes a failed earlier one: the first error leaves the script.
APPEND = (
    _ANNOUNCE
    + """
local length = redis.call('XLEN', KEYS[1])
if length == 0 then return 'gone' end
if length ~= tonumber(ARGV[3]) then
  local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  local opening = string.match(top[1], '^%d+') .. '-1'
  local first = redis.call('XRANGE', KEYS[1], opening, opening)[1]
  local writer = first and field(first, 'writer') or ''
  return {top[1], length, ended(field(top, 'event')) and 1 or 0, writer}
end
local seq, previous = tonumber(ARGV[5]), ARGV[6]
for i = 12, #ARGV, 2 do
  local id = ARGV[4] .. '-' .. seq
  if seq == 1 then
    add(KEYS[1], id, ARGV[i], ARGV[i + 1], ARGV[2],
      'failures', ARGV[9], 'writer', ARGV[10], 'resume', ARGV[11])
  elseif ARGV[8] == '1' then
    add(KEYS[1], id, ARGV[i], ARGV[i + 1], ARGV[2], 'lease', 'lost')
  else
    add(KEYS[1], id, ARGV[i], ARGV[i + 1], ARGV[2])
  end
  announce(ARGV[1], previous, id, ARGV[2], ARGV[i], ARGV[i + 1])
  previous, seq, length = id, seq + 1, length + 1
end
if ARGV[7] ~= '' then redis.call('EXPIRE', KEYS[1], ARGV[7]) end
return length
"""
)

# KEYS: log  ARGV: job, at, claim, poison after, poison data, end ttl_s, writer, attempt and seq of after,
# resume
TAKE_OVER = (
    _ANNOUNCE
    + """
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if not top then return {'gone'} end
if ended(field(top, 'event')) then return {'ended'} end
local top_attempt, top_seq = string.match(top[1], '^(%d+)-(%d+)$')
local last, failures, resume = tonumber(top_attempt), 0, ''
if last > 0 then
  local first = redis.call('XRANGE', KEYS[1], last .. '-1', last .. '-1')[1]
  failures = tonumber(first and field(first, 'failures') or 0)
  if first and field(first, 'writer') == ARGV[7] then
    -- The caller has asked before, and did not hear the reply.
    return {'owned', last, redis.call('XLEN', KEYS[1]), failures, field(first, 'event'), field(first, 'data')}
  end
  -- An attempt of an older version does not tell: it counts as begun by this very message.
  resume = first and field(first, 'resume') or ARGV[10]
end
if ARGV[3] == 'fresh' and last > 0 then return {'running', last} end
local is_resumed = ARGV[3] == 'resumed' or (ARGV[10] ~= '' and ARGV[10] ~= resume)
if not is_resumed then
  -- A message from before a wait, while the one that goes on after it has the job.
  if ARGV[10] ~= resume then return {'running', last} end
  if last > 0 and ARGV[3] == 'redelivered' and field(top, 'lease') ~= 'lost' then failures = failures + 1 end
end
if is_resumed then
  local attempt, seq = tonumber(ARGV[8]), tonumber(ARGV[9])
  local waits = last == attempt and tonumber(top_seq) == seq and field(top, 'event') == 'input_required'
  -- Before that entry is a log that lost it: nobody is past it, and nobody else will come.
  local lost = last < attempt or (last == attempt and tonumber(top_seq) < seq)
  if not (waits or lost) then return {'running', last} end
  -- What viewers have seen of that attempt stays behind.
  last = math.max(last, attempt)
end
local id, event, data = (last + 1) .. '-1', 'started', '{"attempt":' .. (last + 1) .. '}'
if failures >= tonumber(ARGV[4]) then
  event, data = 'error', ARGV[5]
elseif last > 0 and not is_resumed then
  local reason = ARGV[3] == 'handed_back' and 'handed_back' or 'worker_lost'
  event, data = 'reset', '{"attempt":' .. (last + 1) .. ',"reason":"' .. reason .. '"}'
end
add(KEYS[1], id, event, data, ARGV[2], 'failures', failures, 'writer', ARGV[7], 'resume', ARGV[10])
announce(ARGV[1], top[1], id, ARGV[2], event, data)
if event == 'error' then
  redis.call('EXPIRE', KEYS[1], ARGV[6])
  return {'poisoned', last + 1, 0, failures}
end
return {'owned', last + 1, redis.call('XLEN', KEYS[1]), failures, event, data}
"""
)

# KEYS: log  ARGV: job, at, only if idle, event, data, end ttl_s, usage or ''
END = (
    _ANNOUNCE
    + """
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if not top then return {'gone'} end
if ended(field(top, 'event')) then return {'ended'} end
local last = tonumber(string.match(top[1], '^%d+'))
local is_idle = last == 0 or field(top, 'event') == 'input_required'
if ARGV[3] == '1' and not is_idle then return {'running', last} end
local previous, seq = top[1], 1
local function write(event, data)
  local id = (last + 1) .. '-' .. seq
  add(KEYS[1], id, event, data, ARGV[2])
  announce(ARGV[1], previous, id, ARGV[2], event, data)
  previous, seq = id, seq + 1
end
if ARGV[7] ~= '' then write('usage', ARGV[7]) end
write(ARGV[4], ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[6])
return {'owned', last + 1}
"""
)

# KEYS: log, parked job  ARGV: body. It goes when the log goes, and is not kept behind one that has gone.
PARK = """
local left_ms = redis.call('PTTL', KEYS[1])
if left_ms <= 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', left_ms)
return 1
"""

# KEYS: log, answer  ARGV: value, ttl_s. What an erased job has said is not brought back.
KEEP_ANSWER = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
return 1
"""
