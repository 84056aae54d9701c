-- The sum of an order's items, checked by hand: what a mesh without this project's filter could do.

local find, sub, byte, char = string.find, string.sub, string.byte, string.char

local decode_value

local function fail(position)
  error("not JSON at byte " .. position, 0)
end

-- The position of the next byte that is no white space.
local function skip(text, position)
  return find(text, "[^ \t\r\n]", position) or fail(position)
end

local ESCAPES = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
}

local function utf8(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xc0 + math.floor(code / 64), 0x80 + code % 64) end
  return char(0xe0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local function decode_string(text, position)
  local start, parts = position + 1, nil
  while true do
    local stop = find(text, '["\\]', start) or fail(position)
    local part = sub(text, start, stop - 1)
    if byte(text, stop) == 34 then
      if not parts then return part, stop + 1 end
      parts[#parts + 1] = part
      return table.concat(parts), stop + 1
    end
    parts = parts or {}
    parts[#parts + 1] = part
    local letter = sub(text, stop + 1, stop + 1)
    if letter == "u" then
      local digits = string.match(text, "^%x%x%x%x", stop + 2) or fail(stop)
      parts[#parts + 1] = utf8(tonumber(digits, 16))
      start = stop + 6
    else
      parts[#parts + 1] = ESCAPES[letter] or fail(stop)
      start = stop + 2
    end
  end
end

local function decode_number(text, position)
  local _, stop = find(text, "^-?%d+%.?%d*[eE]?[+-]?%d*", position)
  if not stop then fail(position) end
  return tonumber(sub(text, position, stop)) or fail(position), stop + 1
end

local function decode_array(text, position)
  local array, count = {}, 0
  position = skip(text, position + 1)
  if byte(text, position) == 93 then return array, position + 1 end
  while true do
    count = count + 1
    array[count], position = decode_value(text, position)
    position = skip(text, position)
    local mark = byte(text, position)
    if mark == 93 then return array, position + 1 end
    if mark ~= 44 then fail(position) end
    position = skip(text, position + 1)
  end
end

local function decode_object(text, position)
  local object, key = {}, nil
  position = skip(text, position + 1)
  if byte(text, position) == 125 then return object, position + 1 end
  while true do
    if byte(text, position) ~= 34 then fail(position) end
    key, position = decode_string(text, position)
    position = skip(text, position)
    if byte(text, position) ~= 58 then fail(position) end
    object[key], position = decode_value(text, skip(text, position + 1))
    position = skip(text, position)
    local mark = byte(text, position)
    if mark == 125 then return object, position + 1 end
    if mark ~= 44 then fail(position) end
    position = skip(text, position + 1)
  end
end

local WORDS = { t = { "^true()", true }, f = { "^false()", false }, n = { "^null()", nil } }

function decode_value(text, position)
  local mark = byte(text, position)
  if mark == 34 then return decode_string(text, position) end
  if mark == 123 then return decode_object(text, position) end
  if mark == 91 then return decode_array(text, position) end
  local word = WORDS[char(mark)]
  if not word then return decode_number(text, position) end
  return word[2], string.match(text, word[1], position) or fail(position)
end

local function decode(text)
  local value, position = decode_value(text, skip(text, 1))
  if find(text, "[^ \t\r\n]", position) then fail(position) end
  return value
end

-- A whole number of minor units above zero.
local function is_amount(value)
  return type(value) == "number" and value > 0 and value % 1 == 0 and value <= 9007199254740991
end

local function is_right(order)
  if type(order) ~= "table" or type(order.items) ~= "table" or #order.items == 0 then return false end
  local sum = 0
  for _, item in ipairs(order.items) do
    if type(item) ~= "table" or not is_amount(item.price) or not is_amount(item.quantity) then return false end
    sum = sum + item.price * item.quantity
  end
  return is_amount(order.totalAmount) and sum == order.totalAmount
end

function envoy_on_request(handle)
  local body = handle:body()
  local text = body and body:getBytes(0, body:length()) or ""
  local is_json, order = pcall(decode, text)
  if not is_json then
    handle:respond({ [":status"] = "400" }, "The body is not JSON.")
  elseif not is_right(order) then
    handle:respond({ [":status"] = "422" }, "The items do not add up to the total.")
  end
end
