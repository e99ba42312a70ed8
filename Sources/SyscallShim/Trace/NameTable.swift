/// Names of numbers or bits, written as one text so that a table is plain data and small.
///
/// Words with one space between. The first is what an unknown value is remarked as; each of the
/// others is a name, with its value in hexadecimal and a colon before it where that is not the
/// value of the word before it plus one: `MADV_??? 0:MADV_NORMAL MADV_RANDOM 8:MADV_FREE`.
struct NameTable {
    private let start: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>

    init(_ text: StaticString) {
        start = text.utf8Start
        end = start + text.utf8CodeUnitCount
    }

    /// Calls `body` with each value and name until it returns false.
    func forEach(_ body: (UInt64, UnsafeRawBufferPointer) -> Bool) {
        var cursor = start + unknown.count
        var value = UInt64.max
        while cursor < end {
            cursor += 1
            let word = self.word(at: cursor)
            cursor += word.count
            value &+= 1
            var name = word
            if let colon = word.firstIndex(of: 0x3a) {
                value = NameTable.hexadecimal(word[..<colon])
                name = UnsafeRawBufferPointer(rebasing: word[(colon + 1)...])
            }
            guard body(value, name) else { return }
        }
    }

    /// What a value that has no name is remarked as.
    var unknown: UnsafeRawBufferPointer { word(at: start) }

    func name(_ value: UInt64) -> UnsafeRawBufferPointer? {
        var found: UnsafeRawBufferPointer?
        forEach {
            if $0 == value { found = $1 }
            return found == nil
        }
        return found
    }

    private func word(at position: UnsafePointer<UInt8>) -> UnsafeRawBufferPointer {
        var stop = position
        while stop < end, stop.pointee != 0x20 { stop += 1 }
        return UnsafeRawBufferPointer(start: position, count: stop - position)
    }

    private static func hexadecimal(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt64 {
        var value: UInt64 = 0
        for digit in digits {
            value = value << 4 | UInt64(digit < 0x3a ? digit &- 0x30 : digit &- 0x57)
        }
        return value
    }
}

extension TraceBuffer {
    /// The name of a value, or the value with a remark.
    mutating func append(_ value: UInt64, named table: NameTable) {
        if let name = table.name(value) { return append(name) }
        append(hexadecimal: value)
        remark(table)
    }

    /// Names of bits with `|` between.
    mutating func append(_ value: UInt64, flags table: NameTable) {
        if value == 0 {
            guard let name = table.name(0) else { return append("0") }
            return append(name)
        }
        let rest = appendBits(value, table, isFirst: true)
        guard rest != 0 else { return }
        if rest != value { append("|") }
        append(hexadecimal: rest)
        if rest == value { remark(table) }
    }

    /// The name of the field that `mask` covers, then the names of the other bits.
    mutating func append(_ value: UInt64, field: NameTable, mask: UInt64, flags table: NameTable) {
        append(value & mask, named: field)
        let rest = appendBits(value & ~mask, table, isFirst: false)
        guard rest != 0 else { return }
        append("|")
        append(hexadecimal: rest)
    }

    private mutating func remark(_ table: NameTable) {
        append(" /* ")
        append(table.unknown)
        append(" */")
    }

    /// Appends the names of bits and returns those without.
    private mutating func appendBits(_ value: UInt64, _ table: NameTable, isFirst: Bool) -> UInt64 {
        var rest = value
        var isFirst = isFirst
        table.forEach { bits, name in
            guard bits != 0, rest & bits == bits else { return rest != 0 }
            if !isFirst { append("|") }
            append(name)
            isFirst = false
            rest &= ~bits
            return rest != 0
        }
        return rest
    }
}
