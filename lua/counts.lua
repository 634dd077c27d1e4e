-- counts changes the counts of levels: on hand, committed, safety stock and backorder limit.

-- text_of and number_of turn whole numbers into text and back, each once: an operation has the same
-- few numbers in its event, in its answer and in what it stores, and turning them takes longest.
local text_of = setmetatable({}, { __index = function(known, n)
  local text = int(n)
  known[n] = text
  return text
end })
local number_of = setmetatable({}, { __index = function(known, text)
  local n = whole(text) -- nil if it is none
  known[text] = n
  return n
end })

-- The working copy: level -> {on_hand, committed, safety_stock, backorder_limit, entry}, in units.
-- The entry is the id of the level's last repair, or nil if there was none.
local counts, touched_counts = {}, {}

local COUNTS = '^([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)\31?([^\31]*)'
local function load_counts(level, text)
  if not text then return end
  local on_hand, committed, safety_stock, backorder_limit, entry = string.match(text, COUNTS)
  if not on_hand then
    broken[level] = true
    return
  end
  local c = { number_of[on_hand], number_of[committed], number_of[safety_stock], number_of[backorder_limit] }
  if entry ~= '' then c[5] = entry end
  if c[1] and c[2] and c[3] and c[4] then
    counts[level] = c
  else
    broken[level] = true
  end
end

-- set_counts sets the counts of a level.
local function set_counts(level, on_hand, committed, safety_stock, backorder_limit)
  local repaired = counts[level] and counts[level][5]
  counts[level] = { on_hand, committed, safety_stock, backorder_limit, repaired }
  add_once(touched_counts, level)
end

-- add_counts adds to a level's on hand and committed.
local function add_counts(level, on_hand, committed)
  local c = counts[level]
  c[1], c[2] = c[1] + on_hand, c[2] + committed
  add_once(touched_counts, level)
end

-- write_counts writes the changed counts, and the caller's list of fields.
local function write_counts(key, list)
  for _, level in ipairs(touched_counts) do
    local c = counts[level]
    local text = text_of[c[1]] .. US .. text_of[c[2]] .. US .. text_of[c[3]] .. US .. text_of[c[4]]
    list[#list + 1] = level
    list[#list + 1] = c[5] and text .. US .. c[5] or text
  end
  write_fields(key, list)
end
