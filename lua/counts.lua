-- counts changes the counts of levels: on hand, committed, safety stock and backorder limit.

-- The working copy: level -> {on_hand, committed, safety_stock, backorder_limit, entry}, in units.
-- The entry is the id of the level's last repair, or nil if there was none.
local counts, touched_counts = {}, {}

local function load_counts(level, text)
  if not text then return end
  local f = split(text, US)
  local c = { whole(f[1]), whole(f[2] or ''), whole(f[3] or ''), whole(f[4] or ''), f[5] }
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
  set_counts(level, c[1] + on_hand, c[2] + committed, c[3], c[4])
end

-- write_counts writes the changed counts, and the caller's list of fields.
local function write_counts(key, list)
  for _, level in ipairs(touched_counts) do
    local c = counts[level]
    list[#list + 1] = level
    list[#list + 1] = table.concat({ int(c[1]), int(c[2]), int(c[3]), int(c[4]), c[5] }, US)
  end
  write_fields(key, list)
end
