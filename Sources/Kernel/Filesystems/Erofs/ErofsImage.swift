import LinuxABI
import Platform

/// The root file system's image, read as Linux's documentation of EROFS describes it.
///
/// Somebody else made the image: every offset, length and kind is checked before it is believed,
/// and what is wrong is `corruptFilesystem`. Compressed layouts are refused.
final class ErofsImage {
    private let source = Image.root
    private let size: UInt64
    let blockBits: UInt64
    private let metadataStart: UInt64
    /// Where attributes lie that several files have.
    let attributesStart: UInt64
    /// Inodes that have several names, and directories, by number: each is made once.
    private var known = PointerTable()
    /// Blocks of metadata, kept by the low bits of their number.
    private var cache = InlineArray<64, CachedBlock>(repeating: CachedBlock())

    private struct CachedBlock {
        var number: UInt64 = .max
        var memory: UnsafeMutableRawPointer?
    }

    private static let magic: UInt32 = 0xe0f5_e1e2
    private static let superblock: UInt64 = 1024
    /// LZ4_0PADDING, which plain images carry too, and CHUNKED_FILE.
    private static let supportedFeatures: UInt32 = 1 | 4
    static let deepestLink = 4095

    /// The root file system: a tmpfs over the image.
    static func mountRoot(size: Int) throws(Errno) -> MemoryFilesystem {
        guard size > 0 else { throw .corruptFilesystem }
        let (image, root) = try ErofsImage.open(UInt64(size))
        let filesystem = try MemoryFilesystem("overlay", magic: 0x794c_7630, mode: 0o755)
        let node = try image.node(root)
        guard node.mode.isDirectory else { throw .corruptFilesystem }
        try image.known.insert(root, 1, Unmanaged.passUnretained(image).toOpaque())
        let directory = filesystem.root.inode as! MemoryDirectory
        directory.setLower(ErofsDirectory(image, node))
        node.apply(to: directory)
        try image.readAttributes(of: node, into: directory)
        return filesystem
    }

    private static func open(_ size: UInt64) throws(Errno) -> (ErofsImage, UInt64) {
        var words = InlineArray<16, UInt64>(repeating: 0)
        try withUnsafeMutableBytes(of: &words) { (bytes) throws(Errno) in
            try Image.root.read(at: superblock, into: bytes)
        }
        let first = words[0]
        let bits = words[1] >> 32 & 0xff
        guard UInt32(truncatingIfNeeded: first) == magic, bits >= 9, bits <= 12,
            UInt32(truncatingIfNeeded: words[10]) & ~supportedFeatures == 0
        else { throw .corruptFilesystem }
        let root = words[1] >> 48 & 0xffff
        let metadata = words[5] & 0xffff_ffff
        let attributes = words[5] >> 32
        return (ErofsImage(size, bits, metadata << bits, attributes << bits), root)
    }

    private init(
        _ size: UInt64,
        _ blockBits: UInt64,
        _ metadataStart: UInt64,
        _ attributesStart: UInt64
    ) {
        self.size = size
        self.blockBits = blockBits
        self.metadataStart = metadataStart
        self.attributesStart = attributesStart
    }

    deinit {
        for slot in cache.indices { KernelBuffer.free(cache[slot].memory) }
    }

    // MARK: Reading

    /// Fills a buffer with contents of files.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
        try check(offset, buffer.count)
        guard buffer.count < pageSize else { return try source.read(at: offset, into: buffer) }
        var done = 0
        while done < buffer.count {
            let at = offset + UInt64(done)
            let inBlock = Int(at & UInt64(pageMask))
            let part = min(buffer.count - done, pageSize - inBlock)
            let block = try block(at >> 12)
            (buffer.baseAddress! + done).copyMemory(from: block + inBlock, byteCount: part)
            done += part
        }
    }

    /// Throws `corruptFilesystem` when a range leads out of the image.
    func check(_ offset: UInt64, _ count: Int) throws(Errno) {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
        guard !overflow, end <= size else { throw .corruptFilesystem }
    }

    private func block(_ number: UInt64) throws(Errno) -> UnsafeMutableRawPointer {
        let slot = Int(number & 63)
        if cache[slot].number == number { return cache[slot].memory! }
        if cache[slot].memory == nil { cache[slot].memory = try KernelBuffer.allocate(pageSize) }
        cache[slot].number = .max
        let memory = cache[slot].memory!
        let count = min(pageSize, Int(size - number << 12))
        try source.read(
            at: number << 12,
            into: UnsafeMutableRawBufferPointer(start: memory, count: count)
        )
        cache[slot].number = number
        return memory
    }

    // MARK: Inodes

    /// What the image says of an inode.
    func node(_ number: UInt64) throws(Errno) -> ErofsNode {
        let (distance, overflow) = number.multipliedReportingOverflow(by: 32)
        let (start, tooFar) = metadataStart.addingReportingOverflow(distance)
        guard !overflow, !tooFar else { throw .corruptFilesystem }
        var words = InlineArray<8, UInt64>(repeating: 0)
        return try withUnsafeMutableBytes(of: &words) { (bytes) throws(Errno) in
            try read(at: start, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<32]))
            if bytes[0] & 1 != 0 { try read(at: start, into: bytes) }
            return try ErofsNode(number, start, bytes)
        }
    }

    /// Makes the inode of a number in the upper file system, or gives the one that was made.
    func inode(_ number: UInt64, _ filesystem: MemoryFilesystem) throws(Errno) -> Inode {
        if let found = known[number, 0] {
            return Unmanaged<Inode>.fromOpaque(found).takeUnretainedValue()
        }
        let node = try node(number)
        let inode = try make(node, filesystem)
        node.apply(to: inode)
        try readAttributes(of: node, into: inode)
        if node.mode.isDirectory {
            // A directory has one name: more would make a loop.
            guard known[number, 1] == nil else { throw .corruptFilesystem }
            try known.insert(number, 1, Unmanaged.passUnretained(self).toOpaque())
        } else if node.links > 1 {
            // Kept for ever: another name may lead to it at any time.
            try known.insert(number, 0, Unmanaged.passRetained(inode).toOpaque())
        }
        return inode
    }

    private func make(_ node: ErofsNode, _ filesystem: MemoryFilesystem) throws(Errno) -> Inode {
        var new = NewNode(mode: node.mode, user: node.user, group: node.group)
        switch node.mode.kind {
        case .directory:
            return try MemoryDirectory(filesystem, new, over: ErofsDirectory(self, node))
        case .regular:
            return MemoryFile(filesystem, new, over: try ErofsFile(self, node))
        case .symbolicLink:
            guard node.size > 0, node.size <= UInt64(ErofsImage.deepestLink) else {
                throw .corruptFilesystem
            }
            let target = try KernelBuffer(Int(node.size))
            try ErofsFile(self, node).read(at: 0, into: target.bytes)
            new.target = UnsafeRawBufferPointer(target.bytes)
            return SymbolicLink(filesystem, new)
        case .characterDevice, .blockDevice, .pipe, .socket:
            new.device = UInt64(node.place)
            return SpecialFile(filesystem, new)
        case nil: throw .corruptFilesystem
        }
    }
}

/// An inode as the image has it.
struct ErofsNode {
    enum Layout: UInt8 {
        case plain = 0
        case inline = 2
        case chunks = 4
    }

    let number: UInt64
    let layout: Layout
    let mode: FileMode
    let links: UInt32
    let size: UInt64
    let user: UInt32
    let group: UInt32
    /// First block of the contents, a device's number, or the chunks' format.
    let place: UInt32
    /// Where the attributes lie that only this file has, and those that it shares are named.
    let attributes: Range<UInt64>
    /// Where the tail, or the list of chunks, begins.
    var tail: UInt64 { attributes.upperBound }
    let time: FileTime?

    /// Throws `corruptFilesystem`, or `notSupported` for a compressed layout.
    init(_ number: UInt64, _ start: UInt64, _ bytes: UnsafeMutableRawBufferPointer) throws(Errno) {
        func half(_ offset: Int) -> UInt16 {
            bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
        }
        func word(_ offset: Int) -> UInt32 {
            bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        }
        let format = half(0)
        guard let layout = Layout(rawValue: UInt8(format >> 1 & 7)) else { throw .notSupported }
        let isExtended = format & 1 != 0
        let attributes = UInt64(half(2))
        self.number = number
        self.layout = layout
        mode = FileMode(rawValue: UInt32(half(4)))
        place = word(16)
        if isExtended {
            size = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            user = word(24)
            group = word(28)
            links = word(44)
            let seconds = bytes.loadUnaligned(fromByteOffset: 32, as: Int64.self)
            time = FileTime(seconds: seconds, nanoseconds: Int64(min(word(40), 999_999_999)))
        } else {
            size = UInt64(word(8))
            user = UInt32(half(24))
            group = UInt32(half(26))
            links = UInt32(half(6))
            time = nil
        }
        guard size <= UInt64(MemoryFile.largestSize) else { throw .corruptFilesystem }
        let head = start + (isExtended ? 64 : 32)
        self.attributes = head..<head + (attributes == 0 ? 0 : 12 + (attributes - 1) * 4)
    }

    /// Sets what an inode takes over besides its contents.
    func apply(to inode: Inode) {
        inode.mode = mode
        inode.user = user
        inode.group = group
        if !mode.isDirectory { inode.links = max(links, 1) }
        if mode.isDirectory { inode.links = max(links, 2) }
        guard let time else { return }
        inode.accessTime = time
        inode.modificationTime = time
        inode.changeTime = time
    }
}
