import LinuxABI

/// Strings laid end to end, each ended by a zero byte: argv or envp without an object a string.
///
/// The bytes are borrowed: they must outlive the table.
public struct StringTable {
    public let bytes: UnsafeRawBufferPointer
    public let count: Int

    /// Counts the strings. The last must be ended too; `nil` when it is not.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        if let last = bytes.last, last != 0 { return nil }
        var count = 0
        for byte in bytes where byte == 0 { count += 1 }
        self.bytes = bytes
        self.count = count
    }

    /// No strings.
    public static var none: StringTable {
        StringTable(bytes: UnsafeRawBufferPointer(start: nil, count: 0), count: 0)
    }

    /// One empty string. Linux gives it to a program that was started without any `argv[0]`.
    static var oneEmpty: StringTable {
        let zero: StaticString = "\0"
        return StringTable(
            bytes: UnsafeRawBufferPointer(start: UnsafeRawPointer(zero.utf8Start), count: 1),
            count: 1
        )
    }

    private init(bytes: UnsafeRawBufferPointer, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    /// Bytes of the longest string, its zero included.
    var longest: Int {
        var longest = 0
        var start = 0
        for index in 0..<bytes.count where bytes[index] == 0 {
            longest = max(longest, index + 1 - start)
            start = index + 1
        }
        return longest
    }
}
