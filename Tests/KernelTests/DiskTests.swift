import FakePlatform
import LinuxABI
import Platform
import Testing

@testable import Kernel

/// Disks as programs see them: /dev/vda and those after it.
@Suite struct DiskTests {
    private static let contents = (0..<4096).map { UInt8(truncatingIfNeeded: $0 / 7) }

    private func withDisks(_ disks: [FakeDisk], _ body: (Process) throws -> Void) throws {
        try withFiles(
            { _ in FakePlatform.disks = disks },
            body
        )
    }

    @Test func eachDiskHasANode() throws {
        try withDisks([FakeDisk(Self.contents), FakeDisk(Self.contents)]) { process in
            let status = try status("/dev/vdb", process)
            #expect(status.mode == 0o60660)
            #expect(status.specialDevice == deviceNumber(254, 16))
            #expect(throws: Errno.noSuchFileOrDirectory) { try open("/dev/vdc") }
        }
    }

    @Test func bytesAreReadAndWrittenAtAnyPlace() throws {
        try withDisks([FakeDisk(Self.contents)]) { _ in
            let disk = try open("/dev/vda", .readWrite)
            #expect(try disk.seek(1000, .start) == 1000)
            #expect(try read(disk, 100) == Array(Self.contents[1000..<1100]))
            #expect(try write(disk, [1, 2, 3]) == 3)
            #expect(disk.position == 1103)
            #expect(Array(FakePlatform.disks[0].contents[1099..<1104]) == [157, 1, 2, 3, 157])
        }
    }

    @Test func aDiskEnds() throws {
        try withDisks([FakeDisk(Self.contents)]) { _ in
            let disk = try open("/dev/vda", .readWrite)
            #expect(try disk.seek(0, .end) == 4096)
            #expect(try read(disk).isEmpty)
            #expect(throws: Errno.noSpace) { try write(disk, [1]) }
            #expect(try disk.seek(-2, .end) == 4094)
            #expect(try read(disk) == Array(Self.contents[4094...]))
            #expect(try disk.seek(-2, .end) == 4094)
            #expect(try write(disk, [7, 8, 9]) == 2)
            #expect(FakePlatform.disks[0].contents.count == 4096)
        }
    }

    @Test func errorsOfTheDiskAreErrorsOfTheCall() throws {
        try withDisks([FakeDisk(Self.contents)]) { _ in
            let disk = try open("/dev/vda", .readWrite)
            FakePlatform.disks[0].error = -5
            #expect(throws: Errno.inputOutputError) { try read(disk) }
            #expect(throws: Errno.inputOutputError) { try write(disk, [1]) }
            #expect(throws: Errno.inputOutputError) { try disk.synchronize() }
            #expect(disk.position == 0)
        }
    }

    @Test func whatMayOnlyBeReadIsNotWritten() throws {
        try withDisks([FakeDisk(Self.contents, isReadOnly: true)]) { _ in
            let disk = try open("/dev/vda", .readWrite)
            #expect(throws: Errno.notPermitted) { try write(disk, [1]) }
            #expect(FakePlatform.disks[0].contents == Self.contents)
        }
    }

    @Test func synchronousWritesAreFlushed() throws {
        try withDisks([FakeDisk(Self.contents)]) { _ in
            let disk = try open("/dev/vda", .writeOnly)
            _ = try write(disk, [1])
            #expect(FakePlatform.disks[0].flushes == 0)
            try disk.synchronize()
            #expect(FakePlatform.disks[0].flushes == 1)
            let synchronous = try open("/dev/vda", [.writeOnly, .dataSynchronous])
            _ = try write(synchronous, [1])
            #expect(FakePlatform.disks[0].flushes == 2)
        }
    }
}
