import LinuxABI
import LoaderFuzzing
import Testing

@testable import LoaderCore

@Suite struct BadInputTests {
    private func error(_ change: (inout ELFBuilder) -> Void) -> LoadError? {
        var builder = ELFBuilder()
        change(&builder)
        return error(builder.build())
    }

    private func error(_ bytes: [UInt8]) -> LoadError? {
        do throws(LoadError) {
            _ = try LoadPlan(bytes: bytes)
            return nil
        } catch { return error }
    }

    @Test func smallGoodFileIsPlanned() throws {
        let plan = try LoadPlan(bytes: ELFBuilder().build())
        #expect(plan.entry == 0x40_0100)
        #expect(plan.addresses == 0x40_0000..<0x40_1000)
        #expect(plan.programHeaderAddress == 0x40_0040)
        #expect(plan.mappings.count == 1)
    }

    @Test func emptyFile() {
        #expect(error([]) == .empty)
    }

    @Test func textIsNotELF() {
        #expect(error(Array("hello, world\n".utf8)) == .notELF)
        #expect(error([0x7f]) == .notELF)
    }

    @Test func fileThatEndsInTheHeader() {
        for size in [4, 16, 63] {
            #expect(error { $0.fileSize = size } == .truncatedHeader(size: UInt64(size)))
        }
    }

    @Test func wrongClassByteOrderMachineVersion() {
        #expect(error { $0.fileClass = 1 } == .wrongClass(1))
        #expect(error { $0.byteOrder = 2 } == .wrongByteOrder(2))
        #expect(error { $0.machine = 183 } == .wrongMachine(183))
        #expect(error { $0.version = 7 } == .wrongVersion(7))
    }

    @Test func objectsAndCoresAreNotExecutable() {
        #expect(error { $0.type = ELF.FileType.relocatable } == .notExecutable(type: 1))
        #expect(error { $0.type = ELF.FileType.core } == .notExecutable(type: 4))
        #expect(error { $0.type = 0xfe00 } == .notExecutable(type: 0xfe00))
    }

    @Test func headerTableLimits() {
        #expect(error { $0.count = 0 } == .noProgramHeaders)
        #expect(error { $0.entrySize = 32 } == .wrongProgramHeaderSize(32))
        #expect(error { $0.count = 10_000 } == .tooManyProgramHeaders(10_000))
        #expect(
            error {
                $0.count = 10_000; $0.fileSize = 1 << 20
            } == .tooManyProgramHeaders(10_000)
        )
    }

    @Test func headerTableBeyondTheFile() {
        let past = LoadError.programHeadersBeyondFile(offset: 0x2fff, fileSize: 0x3000)
        #expect(error { $0.tableOffset = 0x2fff } == past)
        let huge = LoadError.programHeadersBeyondFile(offset: .max, fileSize: 0x3000)
        #expect(error { $0.tableOffset = .max } == huge)
    }

    @Test func noLoadableSegment() {
        #expect(error { $0.segments[0].type = ELF.SegmentType.note } == .noLoadableSegment)
        #expect(
            error {
                $0.segments[0].memorySize = 0
                $0.segments[0].fileSize = 0
            } == .noLoadableSegment
        )
    }

    @Test func thousandSegmentsAreRefusedBeforeTheyCostMemory() {
        let many = error { builder in
            builder.segments = (0..<1000).map { index in
                var segment = ELFBuilder.Segment()
                segment.address = 0x40_0000 + UInt64(index) * 0x1000
                return segment
            }
            builder.fileSize = 0x10000
        }
        #expect(many == .tooManySegments)
    }

    @Test func segmentSizes() {
        #expect(
            error { $0.segments[0].fileSize = 0x1001 } == .fileSizeAboveMemorySize(segment: 0)
        )
        let beyond = LoadError.segmentBeyondFile(segment: 0, end: 0x4000, fileSize: 0x3000)
        #expect(
            error {
                $0.segments[0].fileSize = 0x4000
                $0.segments[0].memorySize = 0x4000
            } == beyond
        )
        let wrapped = LoadError.segmentBeyondFile(segment: 0, end: .max, fileSize: 0x3000)
        #expect(error { $0.segments[0].offset = .max - 0xfff } == wrapped)
    }

    @Test func segmentThatWraps() {
        #expect(error { $0.segments[0].memorySize = .max } == .segmentWraps(segment: 0))
        #expect(
            error {
                $0.segments[0].address = .max - 0xfff
                $0.segments[0].memorySize = 0xfff
                $0.segments[0].fileSize = 0
            } == .segmentWraps(segment: 0)
        )
    }

    @Test func segmentThatNoMappingCanGive() {
        #expect(error { $0.segments[0].offset = 0x10 } == .segmentMisaligned(segment: 0))
    }

    @Test func segmentsWhereProgramsMayNotLie() {
        #expect(error { $0.segments[0].address = 0 } == .segmentTooLow(segment: 0, address: 0))
        #expect(
            error { $0.segments[0].address = 0xf000 }
                == .segmentTooLow(segment: 0, address: 0xf000)
        )
        #expect(
            error { $0.segments[0].address = 0x7000_0000 }
                == .segmentOverKernel(segment: 0, address: 0x7000_0000)
        )
        #expect(
            error { $0.segments[0].memorySize = 0x7000_0000 }
                == .segmentOverKernel(segment: 0, address: 0x40_0000)
        )
        #expect(
            error { $0.segments[0].address = 0x7e00_0000_0000 }
                == .segmentTooHigh(segment: 0, address: 0x7e00_0000_0000)
        )
        #expect(
            error { $0.segments[0].address = 0xffff_8000_0000_0000 }
                == .segmentTooHigh(segment: 0, address: 0xffff_8000_0000_0000)
        )
    }

    @Test func segmentBesideTheKernelIsAllowed() {
        let entry = { (builder: inout ELFBuilder, address: UInt64) in
            builder.segments[0].address = address
            builder.entry = address
        }
        #expect(error { entry(&$0, 0x6fff_f000) } == nil)
        #expect(error { entry(&$0, 0x8000_0000) } == nil)
        #expect(error { entry(&$0, 0x1_0000) } == nil)
        #expect(error { entry(&$0, 0x7dff_ffff_f000) } == nil)
    }

    @Test func overlappingSegments() {
        #expect(
            error {
                $0.segments.append(ELFBuilder.Segment(address: 0x40_0000))
            } == .segmentsOverlap(segment: 0, other: 1)
        )
        #expect(
            error {
                $0.segments[0].memorySize = 0x3000
                $0.segments.append(ELFBuilder.Segment(address: 0x40_2000))
            } == .segmentsOverlap(segment: 0, other: 1)
        )
    }

    @Test func segmentsThatShareAPageOfTheFile() throws {
        var builder = ELFBuilder()
        builder.segments[0].fileSize = 0x1800
        builder.segments[0].memorySize = 0x1800
        builder.segments.append(
            ELFBuilder.Segment(
                flags: 6,
                offset: 0x1800,
                address: 0x40_1800,
                fileSize: 0x100,
                memorySize: 0x900
            )
        )
        let plan = try LoadPlan(bytes: builder.build())
        #expect(
            plan.mappings.map(\.addresses) == [
                0x40_0000..<0x40_1000, 0x40_1000..<0x40_2000, 0x40_2000..<0x40_3000,
            ]
        )
        #expect(plan.mappings[1].zeroFill == 0x40_1900..<0x40_2000)
        builder.segments[1].offset = 0x2800
        #expect(error(builder.build()) == .segmentsOverlap(segment: 0, other: 1))
    }

    @Test func segmentsNeedNotAscend() throws {
        var builder = ELFBuilder()
        builder.segments.insert(ELFBuilder.Segment(address: 0x50_0000), at: 0)
        let plan = try LoadPlan(bytes: builder.build())
        #expect(plan.addresses == 0x40_0000..<0x50_1000)
    }

    @Test func entryOutsideExecutableSegments() {
        #expect(error { $0.entry = 0 } == .entryNotExecutable(0))
        #expect(error { $0.entry = 0x40_1000 } == .entryNotExecutable(0x40_1000))
        #expect(error { $0.segments[0].flags = 6 } == .entryNotExecutable(0x40_0100))
    }

    @Test func relocatableImageTooLargeForItsRoom() {
        let size: UInt64 = 0x7f00_0000_0000
        #expect(
            error {
                $0.type = ELF.FileType.dynamic
                $0.segments[0].address = 0
                $0.segments[0].memorySize = size
            } == .imageTooLarge(size: size)
        )
        #expect(
            error {
                $0.type = ELF.FileType.dynamic
                $0.segments[0].address = 0
                $0.segments[0].alignment = 1 << 63
            } == .imageTooLarge(size: 0x1000)
        )
    }

    @Test func interpreterPaths() throws {
        var builder = ELFBuilder()
        let path = Array("/lib64/ld.so".utf8) + [0]
        builder.segments.append(
            ELFBuilder.Segment(
                type: ELF.SegmentType.interpreter,
                offset: 0x200,
                fileSize: UInt64(path.count)
            )
        )
        #expect(error(builder.build()) == .badInterpreterPath)
        builder.patches = [(0x200, path)]
        #expect(try LoadPlan(bytes: builder.build()).interpreter == Array(path.dropLast()))
        builder.segments[1].offset = .max
        #expect(error(builder.build()) == .badInterpreterPath)
        builder.segments[1].offset = 0x200
        builder.segments.append(builder.segments[1])
        #expect(error(builder.build()) == .severalInterpreters)
    }

    @Test func errorsMapToThoseOfExecve() {
        #expect(LoadError.notELF.errno == .executableFormat)
        #expect(LoadError.notELF.interpreterErrno == .corruptLibrary)
        #expect(LoadError.imageTooLarge(size: 1).errno == .noMemory)
        #expect(LoadError.unreadable(.inputOutputError).errno == .inputOutputError)
        #expect(LoadError.segmentWraps(segment: 0).errno == .invalidArgument)
    }

    @Test func failedReadsAreTold() {
        final class Unreadable: ExecutableFile {
            var size: UInt64 { 4096 }
            func read(
                at offset: UInt64,
                into buffer: UnsafeMutableRawBufferPointer
            ) throws(Errno) -> Int { throw .inputOutputError }
        }
        #expect(throws: LoadError.unreadable(.inputOutputError)) {
            try LoadPlan(Unreadable(), limits: .x86, base: AddressLimits.x86.relocatable)
        }
    }
}
