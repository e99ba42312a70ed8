import FakePlatform
import Glibc
import LinuxABI
import LoaderCore
import Platform

@testable import Kernel

/// A file of frames for tests, with holes where nothing was written.
final class TestFile: Mappable, MappedName {
    var mappedRegions = 0
    var mappableSize: UInt64
    var mappedIdentity: (device: UInt64, inode: UInt64) { (8, 42) }
    private(set) var frames: [Frame?]

    init(pages: Int, holes: Set<Int> = []) throws {
        mappableSize = UInt64(pages * pageSize)
        frames = try (0..<pages).map { page in
            guard !holes.contains(page) else { return nil }
            let frame = try FrameAllocator.allocateZeroed()
            frame.address.storeBytes(of: TestFile.mark(page), as: UInt64.self)
            return frame
        }
    }

    static func mark(_ page: Int) -> UInt64 { 0xf11e_0000 + UInt64(page) }

    func mappedPages(at offset: UInt64, limit: Int, allocating: Bool) throws(Errno) -> MappedPages {
        guard offset < mappableSize else { return .beyondEnd }
        let page = Int(offset >> 12)
        if frames[page] == nil, allocating { frames[page] = try FrameAllocator.allocateZeroed() }
        guard let frame = frames[page] else { return .hole(pages: 1) }
        return .frames(frame, pages: 1)
    }

    func truncate(pages: Int) {
        let size = UInt64(pages * pageSize)
        AddressSpace.pagesWillVanish(self, size..<mappableSize)
        mappableSize = size
    }

    func appendMappedPath(to text: inout [UInt8]) { text += Array("/test".utf8) }
}

/// What a test believes about a window of pages, one entry a page.
struct MemoryModel {
    struct Page: Equatable {
        var protection: MappingProtection
        var isShared = false
        /// Page of the test file, for a file mapping.
        var filePage: Int?
        /// The page's own first word; nil when it is the file's, or shared.
        var content: UInt64?
    }

    static let base: UInt64 = FakePlatform.userStart + 0x1000_0000
    static let count = 96
    var pages = [Page?](repeating: nil, count: MemoryModel.count)

    static func address(_ page: Int) -> UInt64 { base + UInt64(page * pageSize) }

    /// Compares with the list of mappings.
    func differenceFromList(_ space: AddressSpace) -> String? {
        for index in 0..<MemoryModel.count {
            let address = MemoryModel.address(index)
            let found = space.mapping(above: address).flatMap { $0.start <= address ? $0 : nil }
            let expected = pages[index]
            if found?.protection != expected?.protection {
                return "page \(index): list has \(String(describing: found?.protection))"
            }
            guard let found, let expected else { continue }
            if found.isShared != expected.isShared { return "page \(index): shared differs" }
            if let filePage = expected.filePage {
                let shown = Int((found.offset + (address - found.start)) >> 12)
                if shown != filePage { return "page \(index): shows file page \(shown)" }
            }
        }
        return nil
    }

    /// Compares protections with what the host says of the window.
    func differenceFromHost() -> String? {
        let host = HostMappings.protections(MemoryModel.base, MemoryModel.count)
        for index in 0..<MemoryModel.count {
            let expected = pages[index]?.protection.rawValue ?? 0
            // A page of the file that was not touched is not there yet.
            if host[index] != expected, !(host[index] == 0 && pages[index]?.filePage != nil) {
                return "page \(index): host has \(host[index]), not \(expected)"
            }
        }
        return nil
    }

    /// Compares what readable pages hold, bringing missing ones in as a fault would.
    func differenceInContent(_ space: AddressSpace) -> String? {
        let host = HostMappings.protections(MemoryModel.base, MemoryModel.count)
        for index in 0..<MemoryModel.count {
            guard let page = pages[index], page.protection.contains(.read) else { continue }
            let address = MemoryModel.address(index)
            if host[index] == 0, space.handleFault(address, .read) != .resolved {
                return "page \(index): fault not resolved"
            }
            guard let content = page.content else { continue }
            let word = UnsafeRawPointer(bitPattern: UInt(address))!.load(as: UInt64.self)
            if word != content { return "page \(index): holds \(word), not \(content)" }
        }
        return nil
    }
}

enum HostMappings {
    /// Protection bits of `count` pages from `base`, as /proc/self/maps tells.
    static func protections(_ base: UInt64, _ count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        let end = base + UInt64(count * pageSize)
        for line in readMaps().split(separator: "\n") {
            let fields = line.split(separator: " ")
            let bounds = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard bounds.count == 2, bounds[0] < end, bounds[1] > base else { continue }
            var bits: UInt8 = 0
            for (bit, letter) in "rwx".enumerated() where fields[1].contains(letter) {
                bits |= 1 << UInt8(bit)
            }
            var address = max(bounds[0], base)
            while address < min(bounds[1], end) {
                result[Int((address - base) >> 12)] = bits
                address += UInt64(pageSize)
            }
        }
        return result
    }

    private static func readMaps() -> String {
        let descriptor = open("/proc/self/maps", O_RDONLY)
        defer { close(descriptor) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
