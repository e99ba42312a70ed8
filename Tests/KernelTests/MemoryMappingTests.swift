import FakePlatform
import LinuxABI
import LoaderCore
import Testing

@testable import Kernel

/// Calls on an address space as a program makes them.
private struct Program {
    let space = AddressSpace()

    func map(
        at hint: UInt64 = 0,
        _ length: UInt64,
        _ protection: MappingProtection = [.read, .write],
        _ flags: MappingFlags = [.private, .anonymous],
        file: TestFile? = nil,
        mayWrite: Bool = true,
        offset: UInt64 = 0
    ) throws(Errno) -> UInt64 {
        var source = MappingSource.anonymous
        if let file { source = .file(file, name: file, mayWrite: mayWrite, mayExecute: true) }
        return try space.map(
            at: hint,
            length: length,
            protection: protection,
            flags: flags,
            source: source,
            offset: offset
        )
    }

    /// What mapping a page at exactly an address fails with.
    func errorOfMapping(_ address: UInt64, _ flag: MappingFlags = .fixed) -> Errno? {
        do throws(Errno) {
            _ = try map(at: address, 4096, .read, [.private, .anonymous, flag])
        } catch {
            return error
        }
        return nil
    }

    func error(_ body: () throws(Errno) -> Void) -> Errno? {
        do throws(Errno) { try body() } catch { return error }
        return nil
    }
}

private func word(_ address: UInt64) -> UInt64 {
    UnsafeRawPointer(bitPattern: UInt(address))!.load(as: UInt64.self)
}

private func store(_ value: UInt64, _ address: UInt64) {
    UnsafeMutableRawPointer(bitPattern: UInt(address))!.storeBytes(of: value, as: UInt64.self)
}

@Suite struct MemoryMappingTests {
    private static let page = UInt64(pageSize)

    @Test func reservationsWithoutAccessCostThePlatformNothing() throws {
        try withMachine {
            let program = Program()
            let start = try program.map(512 << 30, [])
            #expect(FakePlatform.mappingCalls == 0)
            try program.space.protect(start + (1 << 30), length: 1 << 20, bits: 3)
            #expect(FakePlatform.mappingCalls == 1)
            store(5, start + (1 << 30))
            #expect(program.space.handleFault(start, .read) == .notPermitted)
            try program.space.unmap(start, length: 512 << 30)
            #expect(FakePlatform.mappingCalls == 2)
            #expect(program.space.totalPages == 0)
        }
    }

    @Test func newMappingsGoBelowTheLastAndJoin() throws {
        try withMachine {
            let program = Program()
            let first = try program.map(3 * Self.page)
            let second = try program.map(2 * Self.page)
            #expect(second + 2 * Self.page == first)
            #expect(program.space.mappingCount == 1)
            let hinted = try program.map(at: first - (1 << 30), Self.page)
            #expect(hinted == first - (1 << 30))
        }
    }

    @Test func manyMappingsFindTheirRoom() throws {
        try withMachine {
            let program = Program()
            let start = try program.map(40_000 * Self.page, [])
            var page: UInt64 = 0
            while page < 40_000 {
                try program.space.unmap(start + page * Self.page, length: Self.page)
                page += 2
            }
            #expect(program.space.mappingCount == 20_000)
            // One page fits into the highest hole; two only where the lowest meets what lies below.
            let one = try program.map(Self.page, [.read])
            #expect(one == start + 39_998 * Self.page)
            let two = try program.map(2 * Self.page, [])
            #expect(two == start - Self.page)
            try program.space.unmap(start, length: 40_000 * Self.page)
            #expect(program.space.totalPages == 1)
        }
    }

    @Test func fixedMappingsReplaceOrRefuse() throws {
        try withMachine {
            let program = Program()
            let start = try program.map(4 * Self.page)
            store(9, start)
            let taken = program.errorOfMapping(start + Self.page, .fixedWithoutReplacing)
            #expect(taken == .fileExists)
            _ = try program.map(
                at: start,
                Self.page,
                [.read, .write],
                [.private, .anonymous, .fixed]
            )
            #expect(word(start) == 0)
            let refused: [(UInt64, Errno)] = [
                (start + 1, .invalidArgument), (0, .notPermitted), (0x7000_0000, .noMemory),
                (FakePlatform.userEnd, .noMemory), (0x7fff_f000, .noMemory),
            ]
            for (address, expected) in refused {
                let found = program.errorOfMapping(address)
                #expect(found == expected)
            }
        }
    }

    @Test func lowMappingsLieInTheLowArea() throws {
        try withMachine {
            let program = Program()
            program.space.setHeapStart(0x50_0000)
            let start = try program.map(Self.page, .read, [.private, .anonymous, .low])
            #expect(Layout.low.contains(start) && start > 0x50_0000 + (32 << 20))
        }
    }

    @Test func heapGrowsAndShrinksAndStopsAtMappings() throws {
        try withMachine {
            let program = Program()
            let start: UInt64 = 0x60_0000
            program.space.setHeapStart(start)
            #expect(program.space.setBreak(0) == start)
            #expect(program.space.setBreak(start + 100) == start + 100)
            store(3, start)
            #expect(program.space.setBreak(start + 5 * Self.page) == start + 5 * Self.page)
            #expect(word(start) == 3)
            #expect(program.space.mapping(above: start)?.kind == .heap)
            #expect(program.space.mappingCount == 1)
            _ = try program.map(
                at: start + 8 * Self.page,
                Self.page,
                .read,
                [.private, .anonymous, .fixed]
            )
            #expect(program.space.setBreak(start + 8 * Self.page) == start + 5 * Self.page)
            #expect(program.space.setBreak(start) == start)
            #expect(program.space.handleFault(start, .read) == .notMapped)
        }
    }

    @Test func mainStackGrowsToItsLimitAndNoFurther() throws {
        try withMachine {
            let program = Program()
            let top = try program.space.mapStack(isExecutable: false)
            let limit: UInt64 = 8 << 20
            #expect(program.space.handleFault(top - limit, .write) == .resolved)
            store(1, top - limit)
            #expect(program.space.handleFault(top - limit - 8, .write) == .notMapped)
            #expect(program.space.mapping(above: top - 1)?.kind == .stack)
            // The heap of mappings keeps clear of the room it may need.
            #expect(try program.map(Self.page) < program.space.stackRoom.lowerBound)
        }
    }

    @Test func stacksKeepAGuardAboveOtherMappings() throws {
        try withMachine {
            let program = Program()
            let base = FakePlatform.userStart + (1 << 30)
            _ = try program.map(at: base, Self.page, .read, [.private, .anonymous, .fixed])
            let stack = base + (2 << 20)
            _ = try program.map(
                at: stack,
                Self.page,
                [.read, .write],
                [.private, .anonymous, .fixed, .growsDown]
            )
            #expect(program.space.handleFault(stack - (512 << 10), .write) == .resolved)
            #expect(program.space.handleFault(base + 2 * Self.page, .write) == .notMapped)
        }
    }

    @Test func sharedMappingsAreTheFileItself() throws {
        try withMachine {
            let program = Program()
            let file = try TestFile(pages: 4, holes: [2])
            let first = try program.map(4 * Self.page, [.read, .write], .shared, file: file)
            let second = try program.map(4 * Self.page, .read, .private, file: file)
            #expect(word(first + Self.page) == TestFile.mark(1))
            store(77, first + Self.page)
            #expect(word(second + Self.page) == 77)
            #expect(program.space.handleFault(first + 2 * Self.page, .write) == .resolved)
            store(78, first + 2 * Self.page)
            #expect(file.frames[2]?.address.load(as: UInt64.self) == 78)
            #expect(file.mappedRegions == 2)
        }
    }

    @Test func pagesBeyondTheEndOfAFileAreBusErrors() throws {
        try withMachine {
            let program = Program()
            let file = try TestFile(pages: 3)
            let start = try program.map(5 * Self.page, [.read, .write], .shared, file: file)
            #expect(program.space.handleFault(start + 3 * Self.page, .read) == .busError)
            file.truncate(pages: 1)
            #expect(word(start) == TestFile.mark(0))
            #expect(program.space.handleFault(start + Self.page, .read) == .busError)
        }
    }

    @Test func readOnlyFilesCannotBeWrittenThroughSharedMappings() throws {
        try withMachine {
            let program = Program()
            let file = try TestFile(pages: 1)
            let refused = program.error { () throws(Errno) in
                _ = try program.map(
                    Self.page,
                    [.read, .write],
                    .shared,
                    file: file,
                    mayWrite: false
                )
            }
            #expect(refused == .permissionDenied)
            let start = try program.map(Self.page, .read, .shared, file: file, mayWrite: false)
            let protected = program.error { () throws(Errno) in
                try program.space.protect(start, length: Self.page, bits: 3)
            }
            #expect(protected == .permissionDenied)
        }
    }

    @Test func sharedAnonymousMemorySurvivesMovesAndComesZeroed() throws {
        try withMachine {
            let program = Program()
            let used = FrameAllocator.usedFrames
            let start = try program.map(
                5 << 20,
                [.read, .write],
                [.shared, .anonymous]
            )
            #expect(program.space.handleFault(start + (3 << 20), .write) == .resolved)
            store(4, start + (3 << 20))
            let moved = try program.space.remap(
                start,
                from: 5 << 20,
                to: 5 << 20,
                flags: [.mayMove, .fixed],
                at: start - (1 << 30)
            )
            #expect(word(moved + (3 << 20)) == 4)
            // An old length of zero shows the same pages a second time.
            let again = try program.space.remap(
                moved,
                from: 0,
                to: 5 << 20,
                flags: .mayMove,
                at: 0
            )
            #expect(word(again + (3 << 20)) == 4)
            program.space.removeAll()
            #expect(FrameAllocator.usedFrames <= used + 16)
        }
    }

    @Test func remapGrowsInPlaceAndElsewhere() throws {
        try withMachine {
            let program = Program()
            let above = try program.map(Self.page, .read)
            let start = try program.map(2 * Self.page)
            store(11, start)
            let stuck = program.error { () throws(Errno) in
                _ = try program.space.remap(
                    start,
                    from: 2 * Self.page,
                    to: 3 * Self.page,
                    flags: [],
                    at: 0
                )
            }
            #expect(stuck == .noMemory)
            let moved = try program.space.remap(
                start,
                from: 2 * Self.page,
                to: 4 * Self.page,
                flags: .mayMove,
                at: 0
            )
            #expect(moved != start && word(moved) == 11 && word(moved + 3 * Self.page) == 0)
            try program.space.unmap(above, length: Self.page)
            let shrunk = try program.space.remap(
                moved,
                from: 4 * Self.page,
                to: Self.page,
                flags: [],
                at: 0
            )
            let grown = try program.space.remap(
                shrunk,
                from: Self.page,
                to: 3 * Self.page,
                flags: [],
                at: 0
            )
            #expect(grown == moved && word(grown) == 11)
        }
    }

    @Test func remapThatKeepsTheOldLeavesItEmpty() throws {
        try withMachine {
            let program = Program()
            let start = try program.map(2 * Self.page)
            store(12, start)
            let moved = try program.space.remap(
                start,
                from: 2 * Self.page,
                to: 2 * Self.page,
                flags: [.mayMove, .keepsOld],
                at: 0
            )
            #expect(word(moved) == 12 && word(start) == 0)
            #expect(program.space.totalPages == 4)
        }
    }

    @Test func adviceThrowsPagesAway() throws {
        try withMachine {
            let program = Program()
            let start = try program.map(3 * Self.page)
            store(1, start)
            store(2, start + Self.page)
            try program.space.advise(start, length: Self.page, .dontNeed)
            #expect(word(start) == 0 && word(start + Self.page) == 2)
            try program.space.unmap(start + 2 * Self.page, length: Self.page)
            let beyond = program.error { () throws(Errno) in
                try program.space.advise(start, length: 3 * Self.page, .dontNeed)
            }
            #expect(beyond == .noMemory && word(start + Self.page) == 0)
        }
    }

    @Test func residenceTellsWhichPagesWereTouched() throws {
        try withMachine {
            let program = Program()
            let start = try program.map(5 * Self.page)
            store(1, start + Self.page)
            store(1, start + 4 * Self.page)
            let vector = try program.map(Self.page)
            try program.space.residence(start, length: 5 * Self.page, into: UInt(vector))
            #expect(word(vector) == 0x01_0000_0100)
            #expect(program.space.residentPages(start..<(start + 5 * Self.page)) == 2)
        }
    }

    @Test func lockedPagesAreCounted() throws {
        try withMachine {
            let program = Program()
            let start = try program.map(4 * Self.page)
            try program.space.lock(start + 100, length: Self.page)
            #expect(program.space.lockedPages == 2)
            let discarded = program.error { () throws(Errno) in
                try program.space.advise(start, length: Self.page, .dontNeed)
            }
            #expect(discarded == .invalidArgument)
            try program.space.unlockAll()
            #expect(program.space.lockedPages == 0 && program.space.mappingCount == 1)
        }
    }

    @Test func stubsAndTheVDSOAreNotTheProgramsToChange() throws {
        try withMachine {
            let program = Program()
            let start = try program.map(4 * Self.page)
            let stub = start - 4 * Self.page
            try program.space.mapStubPage(at: stub)
            #expect(program.space.mapping(above: stub)?.kind == .stubs)
            let isWritten = program.space.withWritableText(stub..<(stub + 8)) {
                $0.storeBytes(of: 0xc3, as: UInt64.self)
            }
            #expect(isWritten && word(stub) == 0xc3)
            try program.space.unmap(stub, length: 8 * Self.page)
            #expect(word(stub) == 0xc3 && program.space.totalPages == 1)
            let replaced = program.errorOfMapping(stub)
            #expect(replaced == .noMemory)
            let protected = program.error { () throws(Errno) in
                try program.space.protect(stub, length: Self.page, bits: 3)
            }
            #expect(protected == .noMemory)
            program.space.removeAll()
            #expect(program.space.mappingCount == 0)
        }
    }

    @Test func rewriterIsToldBeforeTextGoesOrShows() throws {
        try withMachine {
            let program = Program()
            let file = try TestFile(pages: 4)
            let start = try program.map(4 * Self.page, [.read, .execute], .private, file: file)
            #expect(
                program.space.patchableText(around: start + 5) == start..<(start + 4 * Self.page)
            )
            let keeper = RecordingKeeper(start)
            program.space.textKeeper = keeper
            try program.space.unmap(start + 3 * Self.page, length: Self.page)
            try program.space.protect(start + Self.page, length: Self.page, bits: 7)
            #expect(program.space.patchableText(around: start + Self.page) == nil)
            try program.space.advise(start, length: Self.page, .dontNeed)
            _ = try program.space.remap(
                start,
                from: Self.page,
                to: Self.page,
                flags: [.mayMove, .fixed],
                at: start - (1 << 20)
            )
            #expect(keeper.told == ["vanish 3", "show 1", "vanish 0", "show 0"])
        }
    }

    @Test func anEmptySpaceGivesItsMemoryBack() throws {
        try withMachine {
            let live = KernelHeap.liveBytes
            let frames = FrameAllocator.usedFrames
            do {
                let program = Program()
                for index in 0..<2000 {
                    _ = try program.map(
                        at: FakePlatform.userStart + UInt64(index) * 2 * Self.page,
                        Self.page,
                        [],
                        [.private, .anonymous, .fixed]
                    )
                }
                _ = try program.map(1 << 20, .read, [.shared, .anonymous])
                program.space.removeAll()
            }
            #expect(KernelHeap.liveBytes == live)
            #expect(FrameAllocator.usedFrames <= frames + 8)
        }
    }
}

/// Notes what it is told, in pages from an address.
private final class RecordingKeeper: TextKeeper {
    let start: UInt64
    var told: [String] = []

    init(_ start: UInt64) { self.start = start }

    func textWillVanish(_ range: Range<UInt64>) {
        told.append("vanish \((range.lowerBound - start) >> 12)")
    }

    func textWillShow(_ range: Range<UInt64>) {
        told.append("show \((range.lowerBound - start) >> 12)")
    }

    func prepareCopy() {}

    func duplicate() -> any TextKeeper { RecordingKeeper(start) }
}
