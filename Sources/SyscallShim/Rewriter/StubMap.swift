/// Which instruction of a stub stands for which instruction of the program, exactly.
struct StubMap {
    struct Entry {
        /// Where the original is, from the site's first byte; `branchTarget` for the last jump of
        /// a copied call, behind which the call has already happened.
        var origin: Int8
        /// Where its copy begins, from the stub's first byte.
        var offset: UInt8
    }

    static let branchTarget = Int8.min
    static let capacity = 24

    private var entries = InlineArray<24, Entry>(repeating: Entry(origin: 0, offset: 0))
    private(set) var count = 0

    /// Appends in the order of the stub; `false` when the map is full.
    mutating func append(origin: Int, offset: Int) -> Bool {
        guard count < StubMap.capacity, let origin = Int8(exactly: origin),
            let offset = UInt8(exactly: offset)
        else { return false }
        entries[count] = Entry(origin: origin, offset: offset)
        count += 1
        return true
    }

    /// The origin of the instruction that holds the stub's byte `offset`.
    func origin(ofOffset offset: Int) -> Int8 {
        var found = entries[0].origin
        for index in 0..<count where Int(entries[index].offset) <= offset {
            found = entries[index].origin
        }
        return found
    }

    /// Whether an instruction that stands for one of the program's begins at a byte of the stub.
    func begins(atOffset offset: Int) -> Bool {
        for index in 0..<count where Int(entries[index].offset) == offset { return true }
        return false
    }

    /// Where the copy of the instruction at `origin` begins, `nil` when none was copied.
    func offset(ofOrigin origin: Int) -> Int? {
        for index in 0..<count where Int(entries[index].origin) == origin {
            return Int(entries[index].offset)
        }
        return nil
    }
}

/// A stub as it was encoded for one address.
struct Stub {
    static let capacity = 248

    var bytes = InlineArray<248, UInt8>(repeating: 0xcc)
    var length = 0
    var map = StubMap()
    /// What `StubMap.branchTarget` stands for.
    var branchTarget: UInt64 = 0
}
