-- operations remembers operations by their ids, so that a repeat of one changes nothing.

-- The working copy: id -> text, false if there is none; and the ids of this batch, in order.
local operations, touched_operations = {}, {}

local function load_operation(id, text)
  operations[id] = text
end

-- read_operations reads the operations of the steps of n requests from list[at] on. A request has
-- head arguments, the fourth is the id of its operation, or "". If head is followed by parts, of
-- two arguments each, the last of head is their number.
local function read_operations(key, list, at, n, head, has_parts)
  local ids = {}
  for i = 1, n do
    if list[at + 3] ~= '' then ids[#ids + 1] = list[at + 3] end
    at = at + head + (has_parts and 2 * list[at + head - 1] or 0)
  end
  read_fields(key, ids, 1, #ids, load_operation)
end

-- set_operation records an operation: its fingerprint, its time, and the nonce of its entry.
local function set_operation(id, fingerprint, now, nonce)
  operations[id] = '1' .. US .. fingerprint .. US .. int(now) .. US .. nonce
  touched_operations[#touched_operations + 1] = id
end

-- set_step_operation records the operation of a step of a reservation. It returns what begins the
-- extra of the step's event. A step without an operation has the id "".
local function set_step_operation(id, fingerprint, now, nonce)
  if id == '' then return '' end
  event_version = '2'
  set_operation(id, fingerprint, now, nonce)
  return id .. FS .. fingerprint
end

-- find_operation returns nil if an id is new, or "". Else it returns whether the operation is the
-- same, and its time and nonce.
local function find_operation(id, fingerprint)
  if not operations[id] then return nil end
  local f = split(operations[id], US)
  return { same = f[2] == fingerprint, made = f[3] .. US .. f[4] }
end

local function write_operations(key)
  local list = {}
  for _, id in ipairs(touched_operations) do
    list[#list + 1] = id
    list[#list + 1] = operations[id]
  end
  write_fields(key, list)
end
