import LinuxABI
import Platform

/// The requests of ioctl(2) that disks take, as linux/fs.h and linux/hdreg.h have them.
extension DiskFile {
    func controlDisk(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        switch request {
        case ControlRequest.diskSize: try UserPointer(argument).store(description.size)
        case ControlRequest.diskSectors: try UserPointer(argument).store(description.size >> 9)
        case ControlRequest.diskSectorSize, ControlRequest.diskPhysicalSize,
            ControlRequest.diskLeastTransfer:
            try UserPointer(argument).store(description.block_size)
        // No size is better than another, all begin where they should, and what was discarded may be
        // anything.
        case ControlRequest.diskBestTransfer, ControlRequest.diskAlignment,
            ControlRequest.diskDiscardZeroes:
            try UserPointer(argument).store(UInt32(0))
        // Nothing is read ahead.
        case ControlRequest.diskReadAhead, ControlRequest.diskFileReadAhead:
            try UserPointer(argument).store(UInt64(0))
        // As Linux has it of every virtio disk.
        case ControlRequest.diskRotates: try UserPointer(argument).store(UInt16(1))
        case ControlRequest.diskLargestTransfer: try UserPointer(argument).store(UInt16(512))
        case ControlRequest.diskSequence: try UserPointer(argument).store(UInt64(number + 1))
        case ControlRequest.diskBlockSize: try UserPointer(argument).store(UInt64(4096))
        case ControlRequest.diskReadOnly: try UserPointer(argument).store(description.is_read_only)
        case ControlRequest.diskGeometry: try UserPointer(argument).store(geometry)
        case ControlRequest.diskFlush: try synchronize()
        case ControlRequest.diskDiscard: try discard(UserPointer(argument))
        case ControlRequest.diskZero: try zero(changedRange(at: UserPointer(argument)))
        default: throw .notTerminal
        }
        return 0
    }

    /// As Linux makes one up for disks that have none.
    private var geometry: DiskGeometry {
        DiskGeometry(cylinders: UInt16(truncatingIfNeeded: description.size >> 20))
    }

    /// What BLKDISCARD and BLKZEROOUT take: a pair of offset and length, in bytes.
    private func changedRange(at pointer: UserPointer<UInt64>) throws(Errno) -> Range<Int> {
        guard flags.isWritable else { throw .badDescriptor }
        guard description.is_read_only == 0 else { throw .notPermitted }
        let (start, length) = (try pointer[0].load(), try pointer[1].load())
        guard (start | length) & 511 == 0, start <= description.size,
            length <= description.size - start
        else { throw .invalidArgument }
        return Int(start)..<Int(start + length)
    }

    private func discard(_ pointer: UserPointer<UInt64>) throws(Errno) {
        guard flags.isWritable else { throw .badDescriptor }
        guard description.can_discard != 0 else { throw .notSupported }
        let range = try changedRange(at: pointer)
        try Disks.acquire(number)
        defer { Disks.release(number) }
        let (start, length) = (UInt64(range.lowerBound), UInt64(range.count))
        try checked(machine.pointee.disk_discard(number, start, length))
    }

    private func zero(_ range: Range<Int>) throws(Errno) {
        let zeroes = try KernelBuffer(min(range.count, 64 << 10))
        zeroes.bytes.initializeMemory(as: UInt8.self, repeating: 0)
        var position = range.lowerBound
        while position < range.upperBound {
            let count = min(zeroes.bytes.count, range.upperBound - position)
            let part = UnsafeRawBufferPointer(rebasing: zeroes.bytes[..<count])
            var transfer = Transfer(kernel: part)
            guard try write(&transfer, at: &position) > 0 else { throw .inputOutputError }
        }
    }
}

/// `struct hd_geometry`
private struct DiskGeometry: BitwiseCopyable {
    var heads: UInt8 = 64
    var sectors: UInt8 = 32
    var cylinders: UInt16
    private var padding: UInt32 = 0
    var start: UInt64 = 0

    init(cylinders: UInt16) { self.cylinders = cylinders }
}
