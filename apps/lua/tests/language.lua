-- Closures, metatables, varargs, goto, integer and float arithmetic.
local function counter()
    local n = 0
    return function() n = n + 1; return n end
end
local a, b = counter(), counter()
print(a(), a(), b())
local point = {}
point.__index = point
point.__add = function(p, q) return setmetatable({x = p.x + q.x}, point) end
point.__tostring = function(p) return "point " .. p.x end
point.__eq = function(p, q) return p.x == q.x end
point.__close = function(p) print("closing " .. p.x) end
local p, q = setmetatable({x = 1}, point), setmetatable({x = 2}, point)
print(tostring(p + q), p == q, p + q == setmetatable({x = 3}, point))
do
    local one <close> = p
    local two <close> = q
    print("in the block")
end
print(select("#", nil, nil), select(-1, 1, 2, 3))
for i = 1, 3 do
    for j = 1, 3 do
        if j == 2 then goto continue end
        io.write(i * j, " ")
        ::continue::
    end
end
print()
print(math.tointeger(3.0), 3 | 4, ~0, 5 // 0.0, -7 % 3, -7 // 2, 0x10p2)
print(pcall(function() return 1 // 0 end))
print(string.format("%.14g %a %q", 0.1, 1.5, "new\nline"))
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
print(fib(27))
