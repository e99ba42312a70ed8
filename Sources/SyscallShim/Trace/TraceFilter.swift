import Platform

/// Which calls `--strace` shows: names and groups with commas between, as strace(1)'s `trace=`.
///
///     openat,read     these
///     %file,%desc     groups: see CallGroup
///     %file,!openat   a group without one call
///     !%file,read     all but these: a `!` at the beginning is for the whole list
///     all, none
public struct TraceFilter {
    private var bits = InlineArray<8, UInt64>(repeating: .max)
    /// Whether numbers that no row describes are shown.
    public private(set) var showsUnknown = true

    /// Everything.
    public init() {}

    @inline(__always)
    public func shows(_ number: Int) -> Bool {
        guard number >= 0, number < Int(SYSTEM_CALL_COUNT) else { return showsUnknown }
        return bits[number >> 6] >> UInt64(number & 63) & 1 != 0
    }

    public enum Outcome {
        case filter(TraceFilter)
        /// The word at these offsets is no call and no group.
        case wrongWord(Range<Int>)
    }

    /// Calls its argument with each row that there is.
    typealias Rows = ((Row) -> Void) -> Void

    /// Parses a list; an empty one shows everything.
    public static func parse(_ text: UnsafeRawBufferPointer) -> Outcome {
        parse(text, rows: SystemCallTable.forEach)
    }

    static func parse(_ text: UnsafeRawBufferPointer, rows: Rows) -> Outcome {
        guard text.count > 0 else { return .filter(TraceFilter()) }
        let isInverted = text[0] == 0x21
        var filter = TraceFilter()
        filter.setAll(isInverted)
        var start = isInverted ? 1 : 0
        while start <= text.count {
            var end = start
            while end < text.count, text[end] != 0x2c { end += 1 }
            var word = start..<end
            let isNegated = word.count > 0 && text[start] == 0x21
            if isNegated { word = (start + 1)..<end }
            let name = UnsafeRawBufferPointer(rebasing: text[word])
            guard filter.apply(name, isShown: !isInverted && !isNegated, rows) else {
                return .wrongWord(word)
            }
            start = end + 1
        }
        return .filter(filter)
    }

    /// Shows or hides what a word names; false when it names nothing.
    private mutating func apply(
        _ word: UnsafeRawBufferPointer,
        isShown: Bool,
        _ rows: Rows
    ) -> Bool {
        if word.equals("all") || word.equals("none") {
            setAll(word.equals("all") == isShown)
            return true
        }
        let group =
            word.first == 0x25 ? CallGroup(UnsafeRawBufferPointer(rebasing: word[1...])) : nil
        guard word.first != 0x25 || group != nil else { return false }
        var matched = group != nil
        rows { row in
            guard group?.contains(row) ?? word.equals(row.name) else { return }
            matched = true
            set(Int(row.number), isShown)
        }
        return matched
    }

    private mutating func setAll(_ isShown: Bool) {
        for index in 0..<8 { bits[index] = isShown ? .max : 0 }
        showsUnknown = isShown
    }

    private mutating func set(_ number: Int, _ isShown: Bool) {
        guard number < Int(SYSTEM_CALL_COUNT) else { return }
        let bit = UInt64(1) << UInt64(number & 63)
        if isShown { bits[number >> 6] |= bit } else { bits[number >> 6] &= ~bit }
    }
}

extension UnsafeRawBufferPointer {
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != text.utf8Start[index] { return false }
        return true
    }
}

#if !hasFeature(Embedded)
    extension TraceFilter {
        /// The word of a list that names nothing, for `unirun` to complain of before it starts.
        public static func wrongWord(in list: String) -> String? {
            var list = list
            return list.withUTF8 { text in
                let bytes = UnsafeRawBufferPointer(text)
                guard case .wrongWord(let range) = parse(bytes) else { return nil }
                return String(decoding: bytes[range], as: UTF8.self)
            }
        }
    }
#endif
