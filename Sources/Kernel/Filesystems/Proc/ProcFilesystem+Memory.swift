import LinuxABI
import LoaderCore
import Platform

/// What a process's mappings take, in pages.
struct MemoryPages {
    var total = 0
    var peak = 0
    var resident = 0
    var text = 0
    var data = 0
}

extension ProcFilesystem {
    static func memoryPages(_ process: Process) -> MemoryPages {
        var pages = MemoryPages()
        let resident = machine.pointee.resident_size()
        pages.resident = resident > 0 ? Int(resident / 4096) : 0
        guard let space = process.addressSpace else { return pages }
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
