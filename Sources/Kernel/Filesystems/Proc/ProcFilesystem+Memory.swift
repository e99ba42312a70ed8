import LinuxABI
import LoaderCore
import Platform

/// What a process's mappings take, in pages.
struct MemoryPages {
    var total = 0
    var peak = 0
    var resident = 0
    /// The most that was resident at a time.
    var largestResident = 0
    var locked = 0
    var stack = 0
    var text = 0
    var data = 0
}

extension ProcFilesystem {
    static func memoryPages(_ process: Process) -> MemoryPages {
        var pages = MemoryPages()
        guard let space = process.addressSpace else { return pages }
        let resident = machine.pointee.resident_size()
        pages.resident =
            resident >= 0 ? Int(resident / 4096) : space.residentPages(0..<Layout.high.upperBound)
        let largest = machine.pointee.largest_resident_size()
        pages.largestResident = max(pages.resident, Int(largest / 4096))
        pages.locked = space.lockedPages
        pages.stack = space.stackPages
        pages.total = space.totalPages
        pages.peak = space.largestTotalPages
        pages.text = space.executablePages
        pages.data = space.dataPages + space.stackPages
        return pages
    }

    /// /proc/PID/maps
    static func maps(_ text: inout TextBuffer, _ process: Process) {
        guard let space = process.addressSpace else { return }
        var address: UInt64 = 0
        while let mapping = space.mapping(above: address) {
            append(mapping, to: &text)
            guard mapping.end > address else { return }
            address = mapping.end
        }
    }

    /// /proc/PID/smaps: what is known of each mapping. Who else maps a page, and whether it was
    /// written, the platform does not tell.
    static func mapsInDetail(_ text: inout TextBuffer, _ process: Process) {
        guard let space = process.addressSpace else { return }
        var address: UInt64 = 0
        while let mapping = space.mapping(above: address) {
            append(mapping, to: &text)
            let resident = space.residentPages(mapping.start..<mapping.end)
            let rows: [(StaticString, UInt64)] = [
                ("Size:           ", (mapping.end - mapping.start) >> 10),
                ("KernelPageSize: ", 4), ("MMUPageSize:    ", 4),
                ("Rss:            ", UInt64(resident) * 4),
                ("Locked:         ", mapping.isLocked ? UInt64(resident) * 4 : 0),
            ]
            for (name, kilobytes) in rows {
                text.append(name)
                text.append(kilobytes, width: 8, padding: 0x20)
                text.append(" kB\n")
            }
            appendFlags(of: mapping, to: &text)
            guard mapping.end > address else { return }
            address = mapping.end
        }
    }

    private static func appendFlags(of mapping: MappingInformation, to text: inout TextBuffer) {
        text.append("VmFlags:")
        if mapping.protection.contains(.read) { text.append(" rd") }
        if mapping.protection.contains(.write) { text.append(" wr") }
        if mapping.protection.contains(.execute) { text.append(" ex") }
        if mapping.isShared { text.append(" sh") }
        text.append(" mr mw me")
        if mapping.growsDown { text.append(" gd") }
        if mapping.isLocked { text.append(" lo") }
        text.append("\n")
    }

    private static func append(_ mapping: MappingInformation, to text: inout TextBuffer) {
        let start = text.bytes.count
        text.append(hexadecimal: mapping.start, width: 8)
        text.append("-")
        text.append(hexadecimal: mapping.end, width: 8)
        let bits = UInt32(mapping.protection.rawValue)
        text.append(bits & PLATFORM_READ.rawValue != 0 ? " r" : " -")
        text.append(bits & PLATFORM_WRITE.rawValue != 0 ? "w" : "-")
        text.append(bits & PLATFORM_EXECUTE.rawValue != 0 ? "x" : "-")
        text.append(mapping.isShared ? "s " : "p ")
        text.append(hexadecimal: mapping.offset, width: 8)
        text.append(" ")
        text.append(hexadecimal: UInt64(deviceMajor(mapping.device)), width: 2)
        text.append(":")
        text.append(hexadecimal: UInt64(deviceMinor(mapping.device)), width: 2)
        text.append(" ")
        text.append(mapping.inode)
        appendName(mapping, padding: start + 73, to: &text)
        text.append("\n")
    }

    private static func appendName(
        _ mapping: MappingInformation,
        padding column: Int,
        to text: inout TextBuffer
    ) {
        var name: [UInt8] = []
        switch mapping.kind {
        case .anonymous: return
        case .file: mapping.name?.appendMappedPath(to: &name)
        case .heap: name = Array("[heap]".utf8)
        case .stack: name = Array("[stack]".utf8)
        case .vdso: name = Array("[vdso]".utf8)
        case .stubs: name = Array("[stubs]".utf8)
        }
        while text.bytes.count < column { text.append(" ") }
        text.append(name)
    }
}
