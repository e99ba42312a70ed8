import LinuxABI
import LoaderCore
import LoaderFuzzing

extension LoadPlan {
    /// A plan with the project's limits and a base without randomness.
    init(bytes: [UInt8], base: UInt64 = AddressLimits.x86.relocatable) throws(LoadError) {
        try self.init(MemoryFile(bytes), limits: .x86, base: base)
    }
}

/// Makes small ELF files, good ones and bad ones.
struct ELFBuilder {
    struct Segment {
        var type = ELF.SegmentType.load
        var flags: UInt32 = 5
        var offset: UInt64 = 0
        var address: UInt64 = 0x40_0000
        var fileSize: UInt64 = 0x1000
        var memorySize: UInt64 = 0x1000
        var alignment: UInt64 = 0x1000
    }

    var fileClass: UInt8 = 2
    var byteOrder: UInt8 = 1
    var type = ELF.FileType.executable
    var machine = ELF.machineX86
    var version: UInt32 = 1
    var entry: UInt64 = 0x40_0100
    var tableOffset: UInt64 = 64
    var entrySize: UInt16 = 56
    var count: UInt16?
    var segments = [Segment()]
    var fileSize = 0x3000
    /// Bytes put over the rest at last.
    var patches: [(offset: Int, bytes: [UInt8])] = []

    func build() -> [UInt8] {
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, fileClass, byteOrder, 1, 0]
        bytes += [UInt8](repeating: 0, count: 8)
        append(type, &bytes)
        append(machine, &bytes)
        append(version, &bytes)
        append(entry, &bytes)
        append(tableOffset, &bytes)
        append(UInt64(0), &bytes)
        append(UInt32(0), &bytes)
        append(UInt16(64), &bytes)
        append(entrySize, &bytes)
        append(count ?? UInt16(segments.count), &bytes)
        bytes += [UInt8](repeating: 0, count: 6)
        for segment in segments {
            append(segment.type, &bytes)
            append(segment.flags, &bytes)
            append(segment.offset, &bytes)
            append(segment.address, &bytes)
            append(segment.address, &bytes)
            append(segment.fileSize, &bytes)
            append(segment.memorySize, &bytes)
            append(segment.alignment, &bytes)
        }
        bytes += [UInt8](repeating: 0, count: max(0, fileSize - bytes.count))
        for patch in patches {
            bytes.replaceSubrange(
                patch.offset..<patch.offset + patch.bytes.count,
                with: patch.bytes
            )
        }
        return Array(bytes.prefix(fileSize))
    }

    private func append<T: FixedWidthInteger>(_ value: T, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes += Array($0) }
    }
}
