local text = ("The quick brown fox jumps over the lazy dog. "):rep(2000)
local counts = {}
for word in text:lower():gmatch("%a+") do counts[word] = (counts[word] or 0) + 1 end
local words = {}
for word in pairs(counts) do words[#words + 1] = word end
table.sort(words)
for _, word in ipairs(words) do io.write(word, "=", counts[word], " ") end
print()
print(text:gsub("%w+", function(w) return #w > 4 and w:upper() or nil end):sub(1, 80))
print(("key = value"):match("^(%w+)%s*=%s*(%w+)$"))
print(string.pack("<i4z", 100000, "text"):byte(1, -1))
print(string.unpack(">I2", "\1\2"), utf8.char(228, 8364, 128512), utf8.len("äöü"))
print(("x"):rep(3, ","), ("abc"):reverse(), tostring(nil), tonumber("0x1p4"), tonumber("z", 36))
local buffer = {}
for i = 1, 100000 do buffer[i] = string.char(65 + i % 26) end
local joined = table.concat(buffer)
local sum = 0
for i = 1, #joined do sum = (sum * 31 + joined:byte(i)) % 1000000007 end
print(#joined, sum)
