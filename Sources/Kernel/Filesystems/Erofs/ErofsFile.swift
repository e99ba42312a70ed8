import LinuxABI
import Platform

/// The contents of a file, or of a directory, of the image.
final class ErofsFile: LowerFile {
    private let image: ErofsImage
    private let node: ErofsNode
    private let length: Int

    init(_ image: ErofsImage, _ node: ErofsNode) throws(Errno) {
        self.image = image
        self.node = node
        length = Int(node.size)
        if node.layout == .chunks, node.place & ~0x3f != 0 || node.place & 31 > 20 {
            throw .corruptFilesystem
        }
    }

    override var size: Int { length }

    override func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
        var done = 0
        while done < buffer.count {
            let at = offset + done
            let (place, room) = try locate(at)
            let part = min(buffer.count - done, room)
            guard part > 0 else { throw .corruptFilesystem }
            let target = UnsafeMutableRawBufferPointer(
                start: buffer.baseAddress! + done,
                count: part
            )
            if let place {
                try image.read(at: place, into: target)
            } else {
                target.initializeMemory(as: UInt8.self, repeating: 0)
            }
            done += part
        }
    }

    /// Where a byte lies, nil for a hole, and how many follow it there.
    private func locate(_ offset: Int) throws(Errno) -> (UInt64?, Int) {
        let rest = length - offset
        switch node.layout {
        case .plain: return (blockStart + UInt64(offset), rest)
        case .inline:
            // The last block, whole or not, follows the inode.
            let blockSize = 1 << Int(image.blockBits)
            let tailStart = length == 0 ? 0 : (length - 1) & ~(blockSize - 1)
            guard offset < tailStart else {
                return (node.tail + UInt64(offset - tailStart), rest)
            }
            return (blockStart + UInt64(offset), tailStart - offset)
        case .chunks: return try locateChunk(offset)
        }
    }

    private var blockStart: UInt64 { UInt64(node.place) << image.blockBits }

    private func locateChunk(_ offset: Int) throws(Errno) -> (UInt64?, Int) {
        let bits = image.blockBits + UInt64(node.place & 31)
        let hasIndexes = node.place & 32 != 0
        let entrySize: UInt64 = hasIndexes ? 8 : 4
        let list = (node.tail + entrySize - 1) & ~(entrySize - 1)
        let index = UInt64(offset) >> bits
        let inChunk = UInt64(offset) & (1 << bits - 1)
        var block: UInt32 = 0
        try withUnsafeMutableBytes(of: &block) { (bytes) throws(Errno) in
            try image.read(at: list + index * entrySize + (hasIndexes ? 4 : 0), into: bytes)
        }
        let room = min(length - offset, Int(1 << bits - inChunk))
        guard block != .max else { return (nil, room) }
        return (UInt64(block) << image.blockBits + inChunk, room)
    }

    override func image(at offset: Int, count: Int) -> (image: UInt32, offset: UInt64)? {
        guard node.layout == .plain, image.blockBits == 12 else { return nil }
        let start = blockStart + UInt64(offset)
        guard (try? image.check(start, min(count, length - offset))) != nil else { return nil }
        return (Image.root.number, start)
    }
}

/// A directory of the image: blocks of entries, each followed by its names.
final class ErofsDirectory: LowerDirectory {
    private let image: ErofsImage
    private let node: ErofsNode
    private static let entrySize = 12
    /// The block that is looked at.
    private var block: [UInt8] = []
    private var blockNumber = -1
    /// The name that `next` gave, which outlives the block, and its inode.
    private var lastName: [UInt8] = []
    private var lastNumber: UInt64 = 0

    init(_ image: ErofsImage, _ node: ErofsNode) {
        self.image = image
        self.node = node
    }

    private var blockSize: Int { 1 << Int(image.blockBits) }
    private var blockCount: Int { (Int(node.size) + blockSize - 1) / blockSize }

    private func load(_ number: Int) throws(Errno) {
        guard number != blockNumber else { return }
        blockNumber = -1
        let start = number * blockSize
        let count = min(blockSize, Int(node.size) - start)
        let buffer = try KernelBuffer(count)
        try ErofsFile(image, node).read(at: start, into: buffer.bytes)
        block = Array(buffer.bytes)
        blockNumber = number
        guard count >= ErofsDirectory.entrySize, entryCount > 0 else { throw .corruptFilesystem }
    }

    private func half(_ offset: Int) -> Int { Int(block[offset]) | Int(block[offset + 1]) << 8 }

    /// Entries of the block; zero when it is not one.
    private var entryCount: Int {
        let first = half(8)
        guard first % ErofsDirectory.entrySize == 0, first <= block.count else { return 0 }
        return first / ErofsDirectory.entrySize
    }

    /// Where the name of an entry of the block lies.
    private func name(_ index: Int) throws(Errno) -> Range<Int> {
        let start = half(index * ErofsDirectory.entrySize + 8)
        let isLast = index + 1 == entryCount
        var end = isLast ? block.count : half((index + 1) * ErofsDirectory.entrySize + 8)
        guard start >= entryCount * ErofsDirectory.entrySize, start < end, end <= block.count else {
            throw .corruptFilesystem
        }
        if isLast {
            for offset in start..<end where block[offset] == 0 {
                end = offset
                break
            }
        }
        guard end > start, end - start <= Name.longest else { throw .corruptFilesystem }
        for offset in start..<end where block[offset] == 0 || block[offset] == 0x2f {
            throw .corruptFilesystem
        }
        return start..<end
    }

    private func number(_ index: Int) -> UInt64 {
        var value: UInt64 = 0
        for byte in 0..<8 {
            value |= UInt64(block[index * ErofsDirectory.entrySize + byte]) << UInt64(byte * 8)
        }
        return value
    }

    override func find(_ name: Name, _ filesystem: MemoryFilesystem) throws(Errno) -> Inode? {
        for number in 0..<blockCount {
            try load(number)
            for index in 0..<entryCount {
                let range = try self.name(index)
                guard range.count == name.count else { continue }
                let isSame = block.withUnsafeBufferPointer {
                    name.equals($0.baseAddress! + range.lowerBound, range.count)
                }
                if isSame { return try image.inode(self.number(index), filesystem) }
            }
        }
        return nil
    }

    /// A position is a block and an entry of it.
    override func next(_ position: inout Int) throws(Errno) -> [UInt8]? {
        while position >> 16 < blockCount {
            try load(position >> 16)
            let index = position & 0xffff
            guard index < entryCount else {
                position = (position >> 16 + 1) << 16
                continue
            }
            position += 1
            lastName = Array(block[try name(index)])
            lastNumber = number(index)
            if lastName == [0x2e] || lastName == [0x2e, 0x2e] { continue }
            return lastName
        }
        return nil
    }

    override func makeLast(_ filesystem: MemoryFilesystem) throws(Errno) -> Inode {
        try image.inode(lastNumber, filesystem)
    }
}
