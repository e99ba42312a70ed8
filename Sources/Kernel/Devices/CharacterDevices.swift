import LinuxABI

/// The character devices there are, by their numbers as in Linux's devices.txt.
enum CharacterDevices {
    struct Entry {
        let name: StaticString
        let major: UInt32
        let minor: UInt32
        let permissions: UInt32
    }

    static let entries: InlineArray<8, Entry> = [
        Entry(name: "null", major: 1, minor: 3, permissions: 0o666),
        Entry(name: "zero", major: 1, minor: 5, permissions: 0o666),
        Entry(name: "full", major: 1, minor: 7, permissions: 0o666),
        Entry(name: "random", major: 1, minor: 8, permissions: 0o666),
        Entry(name: "urandom", major: 1, minor: 9, permissions: 0o666),
        Entry(name: "tty", major: 5, minor: 0, permissions: 0o666),
        Entry(name: "console", major: 5, minor: 1, permissions: 0o620),
        Entry(name: "ptmx", major: 5, minor: 2, permissions: 0o666),
    ]

    /// Throws `noSuchDeviceOrAddress` for a number that no device has.
    static func open(_ device: UInt64, _ dentry: Dentry, _ flags: OpenFlags)
        throws(Errno) -> OpenFile
    {
        switch (deviceMajor(device), deviceMinor(device)) {
        case (1, 3): return NullDevice(flags: flags, traits: .seekable, dentry: dentry)
        case (1, 5): return ZeroDevice(flags: flags, traits: .seekable, dentry: dentry)
        case (1, 7): return FullDevice(flags: flags, traits: .seekable, dentry: dentry)
        case (1, 8), (1, 9): return RandomDevice(flags: flags, traits: .seekable, dentry: dentry)
        case (5, 0):
            guard let terminal = Process.current.terminal else { throw .noSuchDeviceOrAddress }
            return try terminal.open(dentry, flags)
        case (5, 1): return try StandardStreams.openTerminal(flags)
        case (5, 2): return try Pseudoterminals.openMaster(dentry, flags)
        case (Pseudoterminals.major, let number):
            return try Pseudoterminals.openSlave(number, dentry, flags)
        default: throw .noSuchDeviceOrAddress
        }
    }
}

/// A device whose position stays zero, as null(4).
class MemoryDevice: OpenFile {
    override func seek(_ offset: Int, _ origin: SeekOrigin) throws(Errno) -> Int {
        position = 0
        return 0
    }

    final func swallow(_ transfer: inout Transfer) -> Int {
        let count = transfer.remaining
        transfer.skip(count)
        return count
    }
}

/// null(4)
final class NullDevice: MemoryDevice {
    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        0
    }
    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        swallow(&transfer)
    }
}

/// zero(4)
class ZeroDevice: MemoryDevice {
    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        try transfer.giveZeroes(transfer.remaining)
    }

    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        swallow(&transfer)
    }

    override var mapsAnonymous: Bool { true }
}

/// full(4)
final class FullDevice: ZeroDevice {
    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        throw .noSpace
    }

    override var mapsAnonymous: Bool { false }
}

/// random(4), and urandom, which is the same here: the generator is seeded before anything runs.
final class RandomDevice: MemoryDevice {
    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        try Random.give(&transfer)
    }

    /// RNDGETENTCNT: as much as there is room for.
    override func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        guard request == 0x8004_5200 else { throw .notTerminal }
        try UserPointer<Int32>(argument).store(256)
        return 0
    }

    /// What is written is not believed to be random: it is taken and changes nothing.
    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        swallow(&transfer)
    }
}
