import Foundation
import Testing

/// The kernel image is what hosts, hypervisors and its own promises need.
@Suite struct ImageTests {
    private static let isBuilt = KernelImage.isBuilt
    private static let loaded: UInt32 = 1
    private static let note: UInt32 = 4
    private static let stack: UInt32 = 0x6474_e551

    @Test func theImageIsBuilt() {
        #expect(
            Self.isBuilt || Command.isNative,
            "\(KernelImage.path) or its symbols are missing: run `make build`"
        )
    }

    @Test(.enabled(if: isBuilt)) func strippedImageIsAtMostOneMebibyte() throws {
        #expect(try KernelImage.stripped().bytes.count <= 1 << 20)
    }

    @Test(.enabled(if: isBuilt)) func noSegmentIsWritableAndExecutable() throws {
        let segments = try KernelImage.stripped().segments
        let loaded = segments.filter { $0.kind == Self.loaded }
        #expect(loaded.count == 3)
        for segment in loaded {
            #expect(segment.isReadable)
            #expect(!(segment.isWritable && segment.isExecutable))
            #expect(segment.address % 4096 == segment.offset % 4096)
            #expect(segment.physicalAddress == segment.address - 0x7000_0000 + 0x10_0000)
        }
        for (one, next) in zip(loaded, loaded.dropFirst()) {
            let end = (one.address + one.memorySize + 4095) & ~4095
            #expect(end <= next.address, "two protections on one page")
        }
        let stacks = segments.filter { $0.kind == Self.stack }
        #expect(stacks.map(\.isExecutable) == [false])
    }

    @Test(.enabled(if: isBuilt)) func hostEntryIsExecutableCode() throws {
        let image = try KernelImage.stripped()
        let code = try #require(image.segments.first { $0.kind == Self.loaded && $0.isExecutable })
        #expect(code.address..<(code.address + code.fileSize) ~= image.entry)
        #expect(try image.entry == KernelImage.debug().address(of: "process_entry"))
    }

    /// Xen's ELF note XEN_ELFNOTE_PHYS32_ENTRY, whose descriptor QEMU reads as 64 bits.
    @Test(.enabled(if: isBuilt)) func noteNamesTheEntryOfVirtualMachines() throws {
        let image = try KernelImage.stripped()
        let note = try #require(image.segments.first { $0.kind == Self.note })
        let start = Int(note.offset)
        #expect(image.load(UInt32.self, at: start) == 4)
        #expect(image.load(UInt32.self, at: start + 4) == 8)
        #expect(image.load(UInt32.self, at: start + 8) == 18)
        #expect(Array(image.bytes[start + 12..<start + 16]) == Array("Xen\0".utf8))
        let entry = image.load(UInt64.self, at: start + 16)
        let code = try #require(image.segments.first { $0.kind == Self.loaded && $0.isExecutable })
        #expect(code.physicalAddress..<(code.physicalAddress + code.fileSize) ~= entry)
    }

    /// The multiboot2 specification, 3.1: where the header lies and how it adds up.
    @Test(.enabled(if: isBuilt)) func headerForGRUBLiesAtTheBeginning() throws {
        let image = try KernelImage.stripped()
        let words = stride(from: 0, to: min(32 << 10, image.bytes.count) - 16, by: 8)
        let found = words.filter { image.load(UInt32.self, at: $0) == 0xe852_50d6 }
        let header = try #require(found.first)
        #expect(found.count == 1)
        let fields = (0..<4).map { image.load(UInt32.self, at: header + 4 * $0) }
        #expect(fields[1] == 0)
        #expect(fields.reduce(0, &+) == 0)
        #expect(header + Int(fields[2]) <= 32 << 10)
        // Multiboot 1's magic would make QEMU take the file for something else.
        let old = stride(from: 0, to: 8 << 10, by: 4)
            .filter { image.load(UInt32.self, at: $0) == 0x1bad_b002 }
        #expect(old.isEmpty)
    }

    @Test(.enabled(if: isBuilt)) func doorToTheHostIsAPageOfItsOwn() throws {
        let image = try KernelImage.debug()
        let page = try image.address(of: "hypercall_page")
        let end = try image.address(of: "hypercall_page_end")
        #expect(page % 4096 == 0)
        #expect(end == page + 4096)
    }
}
