import LinuxABI
import Platform

/// The part of sysfs(5) that C libraries, runtimes and the tools for disks look at.
enum SysFilesystem {
    static func make() throws(Errno) -> Filesystem {
        let filesystem = GeneratedFilesystem("sysfs", magic: 0x6265_6572)
        let directory = SysRoot(filesystem, nil, number: GeneratedFilesystem.inode(-1, nil))
        filesystem.root = try Dentry(Name("/"), directory, in: nil)
        return filesystem
    }
}

private final class SysRoot: GeneratedDirectory {
    override func makeRows() -> [GeneratedRow] {
        [
            GeneratedRow("block", 0o555, .directory(.disks)),
            GeneratedRow("dev/block", 0o555, .directory(.disksByNumber)),
            SysRoot.row("devices/system/cpu/online"), SysRoot.row("devices/system/cpu/possible"),
            SysRoot.row("devices/system/cpu/present"),
        ]
    }

    /// One processor.
    private static func row(_ path: StaticString) -> GeneratedRow {
        GeneratedRow(path) { (text, _) throws(Errno) in text.append("0\n") }
    }
}

/// /sys/block, where a disk has its name, and /sys/dev/block, where it has its number. Linux has links in
/// both to where the disk hangs; here it hangs nowhere else.
final class DiskDirectory: GeneratedDirectory {
    private let isByNumber: Bool

    init(_ filesystem: Filesystem, _ number: UInt64, isByNumber: Bool) {
        self.isByNumber = isByNumber
        super.init(filesystem, [], number: number)
    }

    private func name(_ disk: UInt32) -> [UInt8] {
        var text = TextBuffer()
        if isByNumber {
            Disks.appendNumber(disk, to: &text)
        } else {
            Disks.appendName(disk, to: &text)
        }
        return text.bytes
    }

    private func inode(_ disk: UInt32) -> UInt64 {
        number &+ GeneratedFilesystem.inode(0, nil, Int(disk + 1))
    }

    override func child(_ name: Name) throws(Errno) -> Inode? {
        for disk in 0..<Disks.limit where Disks.exists(disk) {
            let own = self.name(disk)
            let isMeant = own.withUnsafeBufferPointer { name.equals($0.baseAddress!, $0.count) }
            guard isMeant else { continue }
            return GeneratedDirectory(filesystem, DiskDirectory.rows(disk), number: inode(disk))
        }
        return nil
    }

    override func nextEntry(_ position: inout UInt64, in directory: Dentry)
        throws(Errno) -> DirectoryEntry?
    {
        while position >= 2, position - 2 < UInt64(Disks.limit) {
            let disk = UInt32(position - 2)
            position += 1
            guard Disks.exists(disk) else { continue }
            return try ProcFilesystem.entry(name(disk), inode(disk), .directory)
        }
        return nil
    }

    // MARK: What is told of a disk

    private enum Fact {
        case zero, one
        case blockSize, discardUnit, isReadOnly, sectors, sequence, minors
        case number, event
        case scheduler, cache, zones
    }

    private struct Row {
        let path: StaticString
        let fact: Fact
    }

    /// As Documentation/ABI/stable/sysfs-block has them. A disk is asked directly and once at a time; it
    /// is said to turn, as Linux says of all virtio disks.
    private static let facts: InlineArray<23, Row> = [
        Row(path: "alignment_offset", fact: .zero), Row(path: "dev", fact: .number),
        Row(path: "discard_alignment", fact: .zero), Row(path: "diskseq", fact: .sequence),
        Row(path: "hidden", fact: .zero),
        Row(path: "queue/discard_granularity", fact: .discardUnit),
        Row(path: "queue/discard_zeroes_data", fact: .zero),
        Row(path: "queue/hw_sector_size", fact: .blockSize),
        Row(path: "queue/logical_block_size", fact: .blockSize),
        Row(path: "queue/minimum_io_size", fact: .blockSize),
        Row(path: "queue/nr_requests", fact: .one),
        Row(path: "queue/optimal_io_size", fact: .zero),
        Row(path: "queue/physical_block_size", fact: .blockSize),
        Row(path: "queue/read_ahead_kb", fact: .zero), Row(path: "queue/rotational", fact: .one),
        Row(path: "queue/scheduler", fact: .scheduler),
        Row(path: "queue/write_cache", fact: .cache), Row(path: "queue/zoned", fact: .zones),
        Row(path: "range", fact: .minors), Row(path: "removable", fact: .zero),
        Row(path: "ro", fact: .isReadOnly), Row(path: "size", fact: .sectors),
        Row(path: "uevent", fact: .event),
    ]

    private static func rows(_ disk: UInt32) -> [GeneratedRow] {
        var rows: [GeneratedRow] = []
        for index in facts.indices {
            let row = facts[index]
            rows.append(
                GeneratedRow(row.path) { (text, _) throws(Errno) in
                    try append(row.fact, of: disk, to: &text)
                    text.append("\n")
                }
            )
        }
        return rows
    }

    private static func append(_ fact: Fact, of disk: UInt32, to text: inout TextBuffer)
        throws(Errno)
    {
        let description = try Disks.description(disk)
        switch fact {
        case .zero: text.append("0")
        case .one: text.append("1")
        case .blockSize: text.append(description.block_size)
        case .discardUnit: text.append(description.can_discard != 0 ? 512 : 0)
        case .isReadOnly: text.append(description.is_read_only)
        case .sectors: text.append(description.size >> 9)
        case .sequence: text.append(disk + 1)
        case .minors: text.append(Disks.minor(1))
        case .number: Disks.appendNumber(disk, to: &text)
        case .event:
            text.append("MAJOR=")
            text.append(Disks.major)
            text.append("\nMINOR=")
            text.append(Disks.minor(disk))
            text.append("\nDEVNAME=")
            Disks.appendName(disk, to: &text)
            text.append("\nDEVTYPE=disk")
        case .scheduler: text.append("[none]")
        case .cache: text.append("write back")
        case .zones: text.append("none")
        }
    }
}

extension Disks {
    static func appendName(_ disk: UInt32, to text: inout TextBuffer) {
        let name = name(disk)
        for index in name.indices { text.append(byte: name[index]) }
    }

    /// `254:0`
    static func appendNumber(_ disk: UInt32, to text: inout TextBuffer) {
        text.append(major)
        text.append(":")
        text.append(minor(disk))
    }

    /// /proc/partitions, in blocks of 1 KiB.
    static func appendTable(to text: inout TextBuffer) throws(Errno) {
        text.append("major minor  #blocks  name\n\n")
        for disk in 0..<limit where exists(disk) {
            text.append(UInt64(major), width: 4, padding: 0x20)
            text.append("  ")
            text.append(UInt64(minor(disk)), width: 7, padding: 0x20)
            text.append(" ")
            text.append(try description(disk).size >> 10, width: 10, padding: 0x20)
            text.append(" ")
            appendName(disk, to: &text)
            text.append("\n")
        }
    }
}
