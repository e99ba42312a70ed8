import LinuxABI

/// What a core tells of a process.
public struct CoreProcess {
    public var signal: Int32 = 0
    public var id: Int32 = 0
    public var parent: Int32 = 0
    public var group: Int32 = 0
    public var session: Int32 = 0
    public var realUser: UInt32 = 0
    public var realGroup: UInt32 = 0
    public var niceness: Int32 = 0
    /// Nanoseconds on the processor, of children that were waited for.
    public var childrenTime: UInt64 = 0

    public init() {}
}

/// What a core tells of a thread.
public struct CoreThread {
    public var id: Int32 = 0
    public var pending: UInt64 = 0
    public var blocked: UInt64 = 0
    /// Nanoseconds on the processor.
    public var time: UInt64 = 0
    /// Linux's `struct pt_regs`, with which its `struct user_regs_struct` begins.
    public var registers: UnsafeRawPointer
    /// The base of %fs.
    public var threadPointer: UInt64 = 0

    public init(registers: UnsafeRawPointer) { self.registers = registers }
}

/// The notes of a core, as Linux's fs/binfmt_elf.c writes them and elf(5) names them.
public enum CoreNotes {
    /// Of an owner's name and of a note's head.
    private static var headSize: Int { 20 }
    private static var statusSize: Int { 336 }
    private static var informationSize: Int { 136 }
    private static var signalSize: Int { 128 }
    private static var legacySize: Int { 512 }

    private static func size(_ contents: Int) -> Int { headSize + (contents + 3) & ~3 }

    /// Bytes of the notes of a process and its threads.
    public static func length(threads: Int, vectorSize: Int, auxiliary: Int, files: Int) -> Int {
        let each = size(statusSize) + size(legacySize) + size(vectorSize)
        return threads * each + size(informationSize) + size(signalSize) + size(auxiliary)
            + size(files)
    }

    @inline(never)
    private static func head(_ type: UInt32, _ count: Int, _ core: inout CoreStream) {
        // NT_X86_XSTATE is Linux's own.
        let isLinux = type == 0x202
        core.append(isLinux ? 6 : 5, UInt32(count))
        let name: UInt64 = isLinux ? 0x0058_554e_494c : 0x4552_4f43
        core.appendHalf(type)
        core.append(name)
    }

    /// NT_PRSTATUS, `struct elf_prstatus`.
    public static func status(
        of thread: CoreThread,
        _ process: CoreProcess,
        _ core: inout CoreStream
    ) {
        head(1, statusSize, &core)
        core.append(process.signal, 0)
        core.append(0, process.signal)
        core.append(thread.pending)
        core.append(thread.blocked)
        core.append(thread.id, process.parent)
        core.append(process.group, process.session)
        // Of the kernel nothing is told apart.
        append(time: thread.time, &core)
        append(time: 0, &core)
        append(time: process.childrenTime, &core)
        append(time: 0, &core)
        core.append(UnsafeRawBufferPointer(start: thread.registers, count: 17 * 8))
        // As a program has selectors that runs in ring 3: __USER_CS and __USER_DS.
        core.append(0x33)
        core.append(thread.registers.load(fromByteOffset: 18 * 8, as: UInt64.self))
        core.append(thread.registers.load(fromByteOffset: 19 * 8, as: UInt64.self))
        core.append(0x2b)
        core.append(thread.threadPointer)
        // The base of %gs, and the other selectors.
        core.append(UnsafeRawBufferPointer(start: nil, count: 0), padded: 40)
        // The other registers have a note.
        core.append(1)
    }

    @inline(never)
    private static func append(time: UInt64, _ core: inout CoreStream) {
        core.append(time / 1_000_000_000)
        core.append(time % 1_000_000_000 / 1000)
    }

    /// NT_PRPSINFO, `struct elf_prpsinfo`; 16 bytes of a name, and up to 80 of arguments.
    public static func information(
        _ process: CoreProcess,
        name: UnsafeRawBufferPointer,
        arguments: [UInt8],
        _ core: inout CoreStream
    ) {
        head(3, informationSize, &core)
        // Running, "R".
        core.append(0x5200 | UInt64(UInt8(truncatingIfNeeded: process.niceness)) << 24)
        core.append(0)
        core.append(process.realUser, process.realGroup)
        core.append(process.id, process.parent)
        core.append(process.group, process.session)
        core.append(name, padded: 16)
        let last = arguments.last == 0 ? 1 : 0
        for index in 0..<80 {
            let isInside = index < arguments.count - last
            core.append(byte: !isInside ? 0 : arguments[index] == 0 ? 0x20 : arguments[index])
        }
    }

    /// NT_SIGINFO
    public static func signal(_ information: UnsafeRawBufferPointer, _ core: inout CoreStream) {
        head(0x5349_4749, signalSize, &core)
        core.append(information, padded: signalSize)
    }

    /// NT_AUXV
    public static func auxiliary(_ words: [UInt64], _ core: inout CoreStream) {
        head(6, words.count * 8, &core)
        for word in words { core.append(word) }
    }

    /// NT_FILE without its entries and names, of `size` bytes in all.
    public static func beginFiles(_ count: Int, size: Int, _ core: inout CoreStream) {
        head(0x4649_4c45, size, &core)
        core.append(UInt64(count))
        // Offsets are counted in these.
        core.append(4096)
    }

    /// NT_FPREGSET and NT_X86_XSTATE, of an xsave area.
    public static func vectors(
        _ area: UnsafeMutableRawBufferPointer,
        features: UInt64,
        _ core: inout CoreStream
    ) {
        head(2, legacySize, &core)
        core.append(UnsafeRawBufferPointer(rebasing: area[..<legacySize]))
        // Where gdb looks for the features that there may be.
        area.storeBytes(of: features, toByteOffset: 464, as: UInt64.self)
        head(0x202, area.count, &core)
        core.append(UnsafeRawBufferPointer(area))
        core.pad()
    }
}

extension CoreStream {
    fileprivate mutating func appendHalf(_ value: UInt32) {
        withUnsafeBytes(of: value) { append($0) }
    }

    @inline(never)
    fileprivate mutating func append(_ bytes: UnsafeRawBufferPointer, padded size: Int) {
        let count = min(bytes.count, size)
        append(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        for _ in count..<size { append(byte: 0) }
    }

    /// Appends one byte.
    @inline(never)
    public mutating func append(byte: UInt8) {
        withUnsafeBytes(of: byte) { append($0) }
    }

    /// Fills a note up to a multiple of four bytes.
    public mutating func pad() {
        while position % 4 != 0 { append(byte: 0) }
    }
}
