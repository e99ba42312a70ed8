import Kernel
import LinuxABI

/// What a program lets the ring keep: io_uring_register(2).
extension Ring {
    /// IORING_REGISTER_, and IORING_UNREGISTER_
    private enum Registration: UInt32 {
        case buffers, noBuffers, files, noFiles, event, noEvent, moreFiles, asyncEvent, probe
        case enable = 12
        case newFiles = 13
        case newBuffers = 15
    }

    /// `struct io_uring_rsrc_register`
    private struct Resources: BitwiseCopyable {
        var count: UInt32
        var flags: UInt32
        var reserved: UInt64
        var list: UInt64
        var tags: UInt64

        static let isSparse: UInt32 = 1
    }

    private static let mostBuffers: UInt32 = 16_384
    private static let mostFiles: UInt32 = 1 << 20
    private static let largestBuffer = 1 << 30

    func register(_ number: UInt32, _ argument: UInt, _ count: UInt32) throws(Errno) -> Int {
        guard let kind = Registration(rawValue: number) else { throw .invalidArgument }
        switch kind {
        case .buffers:
            guard argument != 0 else { throw .badAddress }
            try registerBuffers(argument, count)
        case .noBuffers:
            guard argument == 0, count == 0 else { throw .invalidArgument }
            guard !buffers.isEmpty else { throw .noSuchDeviceOrAddress }
            buffers = []
        case .files:
            guard argument != 0 else { throw .badAddress }
            try registerFiles(argument, count)
        case .noFiles:
            guard argument == 0, count == 0 else { throw .invalidArgument }
            guard !files.isEmpty else { throw .noSuchDeviceOrAddress }
            files = []
        case .event, .asyncEvent:
            guard count == 1 else { throw .invalidArgument }
            try registerEvent(argument)
        case .noEvent:
            guard argument == 0, count == 0 else { throw .invalidArgument }
            guard event != nil else { throw .noSuchDeviceOrAddress }
            event = nil
        case .moreFiles:
            guard count > 0 else { throw .invalidArgument }
            let head = UserPointer<UInt32>(argument)
            let list = try UserPointer<UInt64>(argument)[1].load()
            guard try head[1].load() == 0 else { throw .invalidArgument }
            return try updateFiles(at: UInt64(try head.load()), UInt(list), Int(count))
        case .probe: try probe(argument, count)
        case .enable:
            guard argument == 0, count == 0 else { throw .invalidArgument }
            guard isDisabled else { throw .descriptorInBadState }
            isDisabled = false
            if setup.contains(.singleIssuer) { issuer = Thread.current }
        case .newFiles, .newBuffers: try registerNew(kind, argument, count)
        }
        return 0
    }

    private func registerNew(_ kind: Registration, _ argument: UInt, _ size: UInt32)
        throws(Errno)
    {
        guard Int(size) == MemoryLayout<Resources>.size else { throw .invalidArgument }
        let resources = try UserPointer<Resources>(argument).load()
        guard resources.count > 0, resources.reserved == 0,
            resources.flags & ~Resources.isSparse == 0, resources.tags == 0
        else { throw .invalidArgument }
        let isSparse = resources.flags == Resources.isSparse
        guard !isSparse || resources.list == 0 else { throw .invalidArgument }
        let list = UInt(resources.list)
        if kind == .newFiles {
            try registerFiles(list, resources.count)
        } else {
            try registerBuffers(list, resources.count)
        }
    }

    // MARK: Buffers

    private func registerBuffers(_ list: UInt, _ count: UInt32) throws(Errno) {
        guard buffers.isEmpty else { throw .busy }
        guard count > 0, count <= Ring.mostBuffers else { throw .invalidArgument }
        var found: [UserBuffer] = []
        for index in 0..<Int(count) {
            var range = TransferSegment(base: 0, length: 0)
            if list != 0 { range = try UserPointer<TransferSegment>(list)[index].load() }
            guard range.base != 0 || range.length == 0 else { throw .badAddress }
            guard range.base == 0 || range.length > 0, range.length <= UInt(Ring.largestBuffer)
            else { throw .badAddress }
            let buffer = UserBuffer(address: range.base, count: Int(range.length))
            guard range.length == 0 || Process.current.addressSpace.isMapped(buffer) else {
                throw .badAddress
            }
            found.append(buffer)
        }
        buffers = found
    }

    // MARK: Files

    private func registerFiles(_ list: UInt, _ count: UInt32) throws(Errno) {
        guard files.isEmpty else { throw .busy }
        guard count > 0 else { throw .invalidArgument }
        let limit = Process.current.limits[.openFiles].current
        guard count <= Ring.mostFiles, UInt64(count) <= limit else { throw .tooManyOpenFiles }
        var found: [OpenFile?] = []
        for index in 0..<Int(count) {
            var number: Int32 = -1
            if list != 0 { number = try UserPointer<Int32>(list)[index].load() }
            found.append(number == -1 ? nil : try registrable(number))
        }
        files = found
        nextPlace = 0
    }

    private func registrable(_ number: Int32) throws(Errno) -> OpenFile {
        let file = try Process.current.descriptors.file(FileDescriptor(number))
        guard !(file is RingFile), !file.flags.contains(.path) else { throw .badDescriptor }
        return file
    }

    /// Replaces registered files; -1 leaves none, -2 what is there. How many were looked at.
    func updateFiles(at offset: UInt64, _ list: UInt, _ count: Int) throws(Errno) -> Int {
        guard !files.isEmpty else { throw .noSuchDeviceOrAddress }
        guard count > 0, offset <= UInt64(UInt32.max), Int(offset) + count <= files.count else {
            throw .invalidArgument
        }
        var done = 0
        do throws(Errno) {
            while done < count {
                let number = try UserPointer<Int32>(list)[done].load()
                if number != -2 {
                    files[Int(offset) + done] = number == -1 ? nil : try registrable(number)
                }
                done += 1
            }
        } catch {
            guard done > 0 else { throw error }
        }
        return done
    }

    // MARK: The rest

    private func registerEvent(_ argument: UInt) throws(Errno) {
        guard event == nil else { throw .busy }
        let number = try UserPointer<Int32>(argument).load()
        let file = try Process.current.descriptors.file(FileDescriptor(number))
        guard file.isEvent else { throw .invalidArgument }
        event = file
    }

    /// Tells which operations there are.
    private func probe(_ argument: UInt, _ count: UInt32) throws(Errno) {
        guard argument != 0, count <= 256 else { throw .invalidArgument }
        let entries = min(Int(count), Operation.count)
        let words = UserPointer<UInt64>(argument)
        for index in 0..<2 + entries {
            guard try words[index].load() == 0 else { throw .invalidArgument }
        }
        try words.store(UInt64(Operation.count - 1) | UInt64(entries) << 8)
        for index in 0..<entries {
            let isThere: UInt64 = Operation(rawValue: UInt8(index)) == nil ? 0 : 1
            // IO_URING_OP_SUPPORTED
            try words[2 + index].store(UInt64(index) | isThere << 16)
        }
    }
}
