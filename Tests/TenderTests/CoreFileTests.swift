import Foundation
import LaunchRecord
import Testing

@testable import Tender

/// What a kernel, in whosever hands it is, can do with the file that a core goes to.
struct CoreFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var path: String { folder.path + "/core" }

    private func record(_ position: UInt64, _ payload: [UInt8], length: UInt64? = nil) -> [UInt8] {
        withUnsafeBytes(of: position, Array.init)
            + withUnsafeBytes(of: length ?? UInt64(payload.count), Array.init) + payload
    }

    @Test func recordsMakeAFileWithHolesHoweverTheyAreCut() throws {
        let stream =
            record(0, []) + record(0, Array("head".utf8)) + record(8192, Array("tail".utf8))
            + record(12288, [])
        for size in [1, 3, 16, 17, stream.count] {
            let file = try CoreFile(path, memory: 0)
            var rest = stream[...]
            while !rest.isEmpty {
                #expect(file.take(Array(rest.prefix(size))))
                rest = rest.dropFirst(size)
            }
            #expect(file.isWritten)
            file.finish("program", isQuiet: true)
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            #expect(bytes.count == 12288)
            #expect(bytes.starts(with: Array("head".utf8) + [0, 0]))
            #expect(Array(bytes[8192..<8197]) == Array("tail".utf8) + [0])
        }
    }

    @Test func anotherCoreTakesThePlaceOfTheFirst() throws {
        let file = try CoreFile(path, memory: 0)
        for text in ["a long core", "short"] {
            let bytes = Array(text.utf8)
            #expect(file.take(record(0, []) + record(0, bytes) + record(UInt64(bytes.count), [])))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("short".utf8))
    }

    @Test func whatIsNoRecordEndsIt() throws {
        for bad in [
            record(1 << 48, []), record(0, [], length: CoreRecord.payloadLimit + 1),
            record(.max, [1]), record(0, [], length: .max),
        ] {
            let file = try CoreFile(path, memory: 0)
            #expect(!file.take(bad))
            #expect(!file.take(record(0, [1])))
        }
    }

    @Test func theDiskIsNotFilled() throws {
        let file = try CoreFile(path, memory: 1 << 20)
        var count: UInt64 = 0
        // Each byte takes a page of the disk.
        while count < 1 << 20, file.take(record(count << 16, [1])) { count += 1 }
        #expect(count > 1 << 10)
        #expect(count << 12 < 100 << 20)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(UInt64(status.st_blocks) * 512 < 100 << 20)
    }

    @Test func aNewFileGoesWhenThereIsNoCore() throws {
        try CoreFile(path, memory: 0).finish("program", isQuiet: true)
        #expect(access(path, F_OK) != 0)
        try Data("kept".utf8).write(to: URL(fileURLWithPath: path))
        try CoreFile(path, memory: 0).finish("program", isQuiet: true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("kept".utf8))
    }
}
