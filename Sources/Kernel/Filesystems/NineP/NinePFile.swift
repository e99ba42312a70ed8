import LinuxABI
import NineP
import Platform

/// A regular file of a server's. What is read and written goes there each time; pages are kept for
/// mappings alone, and for as long as there are any.
final class NinePFile: NinePNode, Mappable {
    var mappedRegions = 0
    private var pages = PageMap()
    /// When what the pages hold was written, and how much there was.
    private var pagesTime = FileTime()
    private var pagesSize = 0
    /// The number by which pages are read.
    private var reader: UInt32?
    /// The number by which the file was made, for whoever opens it first: the permissions that it got are
    /// no hindrance to that.
    private var fresh: UInt32?

    deinit {
        forgetPages()
        if let reader { client.forget(reader) }
        if let fresh { client.forget(fresh) }
    }

    /// Keeps the number of a file that was made for its first opening.
    func keep(_ opened: UInt32) { fresh = opened }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        if flags.isWritable || flags.contains(.truncate) { try requireNotExecuting() }
        let kept: OpenFlags = [.readWrite, .writeOnly, .append, .dataSynchronous, .synchronous]
        return NinePOpenFile(self, try open(flags.intersection(kept)), dentry, flags)
    }

    private func open(_ flags: OpenFlags) throws(Errno) -> UInt32 {
        guard let made = fresh else { return try client.open(file, flags) }
        fresh = nil
        // What it was made with is access to all, and nothing else.
        guard !flags.isDisjoint(with: [.append, .dataSynchronous]) else { return made }
        do throws(Errno) {
            let opened = try client.open(file, flags)
            client.forget(made)
            return opened
        } catch { return made }
    }

    // MARK: Reading and writing

    /// How often a copy is begun anew because it faulted in a page of the same server, whose answer then
    /// lies where this one's was.
    private static let mostTurns = 64

    @inline(never)
    func read(_ transfer: inout Transfer, at position: inout Int, by number: UInt32)
        throws(Errno) -> Int
    {
        var done = 0
        while transfer.remaining > 0 {
            let wanted = transfer.remaining
            let count: Int
            do throws(Errno) { count = try readPart(&transfer, position, number) } catch {
                guard done > 0 else { throw error }
                return done
            }
            done += count
            position += count
            guard count > 0, count == min(wanted, client.readLimit) else { break }
        }
        return done
    }

    private func readPart(_ transfer: inout Transfer, _ position: Int, _ number: UInt32)
        throws(Errno) -> Int
    {
        let before = transfer
        for _ in 0..<NinePFile.mostTurns {
            let told = try client.read(number, at: UInt64(position), transfer.remaining)
            guard let bytes = told.baseAddress, !told.isEmpty else { return 0 }
            let turn = client.exchanges
            let count = try transfer.give(bytes, told.count)
            if client.exchanges == turn { return count }
            transfer = before
        }
        throw .inputOutputError
    }

    func write(_ transfer: inout Transfer, at position: inout Int, by number: UInt32)
        throws(Errno) -> Int
    {
        guard transfer.remaining > 0 else { return 0 }
        let limit = Process.current.limits[.fileSize].current
        guard UInt64(position) < limit else { throw .fileTooLarge }
        transfer.cap(Int(clamping: limit - UInt64(position)))
        var done = 0
        while transfer.remaining > 0 {
            let wanted = min(transfer.remaining, client.writeRoom.count)
            let count: Int
            do throws(Errno) { count = try writePart(&transfer, position, number) } catch {
                guard done > 0 else { throw error }
                return done
            }
            done += count
            position += count
            size = max(size, position)
            guard count == wanted else { break }
        }
        return done
    }

    private func writePart(_ transfer: inout Transfer, _ position: Int, _ number: UInt32)
        throws(Errno) -> Int
    {
        let before = transfer
        let room = client.writeRoom
        for _ in 0..<NinePFile.mostTurns {
            let turn = client.exchanges
            let taken = try transfer.take(
                room.baseAddress!,
                min(transfer.remaining, room.count)
            )
            guard client.exchanges == turn else {
                transfer = before
                continue
            }
            let count = try client.write(number, at: UInt64(position), taken)
            updatePages(position, UnsafeRawBufferPointer(rebasing: room[..<count]))
            if count < taken {
                transfer = before
                transfer.skip(count)
            }
            return count
        }
        throw .inputOutputError
    }

    override func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
        throws(Errno) -> Int
    {
        guard offset >= 0 else { throw .invalidArgument }
        var transfer = Transfer(kernel: UnsafeRawBufferPointer(buffer))
        var position = offset
        return try read(&transfer, at: &position, by: try pageReader())
    }

    override func truncate(to newSize: Int) throws(Errno) { try truncate(to: newSize, by: file) }

    func truncate(to newSize: Int, by number: UInt32) throws(Errno) {
        var request = AttributeRequest()
        request.size = UInt64(newSize)
        try client.setAttributes(number, request)
        if newSize < size { cutPages(newSize) }
        size = newSize
    }

    // MARK: Pages

    var mappableSize: UInt64 { UInt64(size) }

    var mappedIdentity: (device: UInt64, inode: UInt64) { (filesystem.device, number) }

    /// Nobody tells which pages a program wrote to.
    var allowsSharedWriting: Bool { false }

    private func pageReader() throws(Errno) -> UInt32 {
        if let reader { return reader }
        let opened = try client.open(file, [])
        reader = opened
        return opened
    }

    /// Before a mapping is made: pages of what others changed since are read anew.
    func prepareMapping() throws(Errno) {
        try refresh()
        if pages.count > 0, pagesTime != modificationTime || pagesSize != size {
            AddressSpace.pagesWillVanish(self, 0..<UInt64(pages.end << 12))
            forgetPages()
        }
        pagesTime = modificationTime
        pagesSize = size
        _ = try pageReader()
    }

    /// An open file is gone, and with it its mappings.
    func closed() {
        guard mappedRegions == 0 else { return }
        forgetPages()
        if let reader { client.forget(reader) }
        reader = nil
    }

    func mappedPages(at offset: UInt64, limit: Int, allocating: Bool) throws(Errno) -> MappedPages {
        guard offset < UInt64(size) else { return .beyondEnd }
        let page = Int(offset >> 12)
        let end = min(page + max(limit, 1), (size + pageMask) >> 12)
        if pages[page] == 0 {
            guard allocating else {
                return .hole(pages: pages.next(page, hasFrame: true, limit: end) - page)
            }
            try load(page)
        }
        let first = pages[page]
        var count = 1
        while page + count < end, pages[page + count] == first + UInt32(count) { count += 1 }
        return .frames(Frame(number: first), pages: count)
    }

    /// Reads a page, and up to seven that follow it.
    private func load(_ page: Int) throws(Errno) {
        let order = loadOrder(page)
        try pages.reserve(page)
        let frame = try FrameAllocator.allocateZeroed(order: order)
        let start = page << 12
        let wanted = min(size - start, pageSize << order)
        var done = 0
        do throws(Errno) {
            while done < wanted {
                let told = try client.read(
                    try pageReader(),
                    at: UInt64(start + done),
                    wanted - done
                )
                guard let bytes = told.baseAddress, !told.isEmpty else { break }
                (frame.address + done).copyMemory(from: bytes, byteCount: told.count)
                done += told.count
            }
        } catch {
            FrameAllocator.giveRun(frame.number, count: 1 << UInt32(order))
            throw error
        }
        for index in 0..<(1 << order) { pages.set(page + index, frame.number + UInt32(index)) }
    }

    private func loadOrder(_ page: Int) -> Int {
        let count = 8
        let end = page + count
        guard page >= PageMap.inlineCount, end <= (size + pageMask) >> 12,
            page >> 9 == (end - 1) >> 9,
            pages.next(page, hasFrame: true, limit: end) == end,
            FrameAllocator.freeFrames > 4096
        else { return 0 }
        return 3
    }

    /// Mappings show what was written.
    private func updatePages(_ position: Int, _ bytes: UnsafeRawBufferPointer) {
        guard pages.count > 0 else { return }
        var done = 0
        while done < bytes.count {
            let place = position + done
            let part = min(bytes.count - done, pageSize - place & pageMask)
            let frame = pages[place >> 12]
            if frame != 0 {
                (Frame(number: frame).address + place & pageMask)
                    .copyMemory(from: bytes.baseAddress! + done, byteCount: part)
            }
            done += part
        }
    }

    /// What lies behind a new end is gone, and zero in its last page.
    private func cutPages(_ end: Int) {
        let firstGone = (end + pageMask) >> 12
        AddressSpace.pagesWillVanish(self, UInt64(firstGone << 12)..<UInt64(size + pageMask))
        pages.giveFrames(from: firstGone, to: pages.end)
        let last = end & pageMask == 0 ? 0 : pages[end >> 12]
        guard last != 0 else { return }
        (Frame(number: last).address + end & pageMask)
            .initializeMemory(as: UInt8.self, repeating: 0, count: pageSize - end & pageMask)
    }

    private func forgetPages() { pages.giveFrames(from: 0, to: pages.end) }
}

/// A regular file of a server's that is open, there as well.
final class NinePOpenFile: OpenFile {
    unowned(unsafe) private let file: NinePFile
    private let number: UInt32

    init(_ file: NinePFile, _ number: UInt32, _ dentry: Dentry, _ flags: OpenFlags) {
        self.file = file
        self.number = number
        super.init(flags: flags, traits: .seekable, dentry: dentry)
        if flags.isWritable { file.writers += 1 }
    }

    deinit {
        if flags.isWritable { file.writers -= 1 }
        file.client.forget(number)
        file.closed()
    }

    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        try file.read(&transfer, at: &position, by: number)
    }

    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        if flags.contains(.append) {
            try file.refresh()
            position = file.size
        }
        return try file.write(&transfer, at: &position, by: number)
    }

    /// All of the file is data: the server does not tell holes.
    override func seek(_ offset: Int, _ origin: SeekOrigin) throws(Errno) -> Int {
        switch origin {
        case .start: return try move(to: offset, from: 0)
        case .current: return try move(to: offset, from: position)
        case .end, .data, .hole: try file.refresh()
        }
        if origin == .end { return try move(to: offset, from: file.size) }
        guard offset >= 0, offset < file.size else { throw .noSuchDeviceOrAddress }
        return try move(to: origin == .data ? offset : file.size, from: 0)
    }

    override func truncate(to size: Int) throws(Errno) {
        try file.truncate(to: size, by: number)
    }

    override func synchronize() throws(Errno) { try file.client.synchronize(number) }

    override func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        guard request == ControlRequest.readableBytes else { throw .notTerminal }
        try file.refresh()
        try UserPointer<Int32>(argument).store(Int32(clamping: max(0, file.size - position)))
        return 0
    }

    override var mappable: (any Mappable)? {
        (try? file.prepareMapping()) == nil ? nil : file
    }
}
