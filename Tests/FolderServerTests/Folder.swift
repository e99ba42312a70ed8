import Foundation
import LinuxABI
import NineP
import Testing

@testable import FolderServer

/// A folder of the host with a server, and a client that talks to it without a socket.
final class ServedFolder {
    let path: String
    let server: FolderServer
    let client: Client
    let root: UInt32

    private static let size = FolderServer.largestMessage
    private let request = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
    private let answer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)

    init(isReadOnly: Bool = false, _ prepare: (String) throws -> Void = { _ in }) throws {
        let pattern = FileManager.default.temporaryDirectory.path + "/folder-XXXXXX"
        var template = pattern.utf8CString.map { $0 }
        path = String(cString: mkdtemp(&template)) + "/shared"
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: false
        )
        try prepare(path)
        let folder = open(path, placeOnly | O_DIRECTORY | O_CLOEXEC)
        try #require(folder >= 0)
        let server = FolderServer(folder: folder, isReadOnly: isReadOnly)
        self.server = server
        let (request, answer) = (request, answer)
        client = try Client.connect(0, request: request, limit: Self.size) { _, told in
            let size = Int(request.load(as: UInt32.self))
            let length = server.answer(
                UnsafeRawBufferPointer(start: request, count: size),
                into: UnsafeMutableRawBufferPointer(start: answer, count: Self.size)
            )
            told.pointee = UnsafeRawPointer(answer)
            return Int64(length ?? -5)
        }
        root = try client.attach(user: 0).file
    }

    deinit {
        request.deallocate()
        answer.deallocate()
        try? FileManager.default.removeItem(
            atPath: (path as NSString).deletingLastPathComponent
        )
    }

    /// What is beside the shared folder: out of its reach.
    var outside: String { (path as NSString).deletingLastPathComponent + "/outside" }

    func find(_ path: String) throws(LinuxABI.Errno) -> UInt32 {
        var file = root
        for name in path.split(separator: "/") {
            file = try bytes(String(name)) { (name) throws(LinuxABI.Errno) in
                try client.walk(file, to: name).file
            }
        }
        return file
    }

    func contents(_ name: String) throws -> String {
        try String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }

    func write(_ text: String, _ file: UInt32, at offset: UInt64 = 0) throws(LinuxABI.Errno) -> Int
    {
        let bytes = Array(text.utf8)
        client.writeRoom.copyBytes(from: bytes)
        return try client.write(file, at: offset, bytes.count)
    }

    func create(_ name: String, mode: UInt32 = 0o644) throws(LinuxABI.Errno) -> UInt32 {
        try bytes(name) { (name) throws(LinuxABI.Errno) in
            try client.create(
                name,
                in: root,
                [.readWrite, .exclusive],
                mode: mode,
                group: UInt32(getgid())
            )
        }
    }

    func names() throws -> [String] {
        let directory = try client.open(root, .directory)
        defer { client.forget(directory) }
        var names: [String] = []
        var offset: UInt64 = 0
        while true {
            var reader = MessageReader(try client.readDirectory(directory, at: offset, 65536))
            if reader.isAtEnd { return names }
            while !reader.isAtEnd {
                let record = try DirectoryRecord(&reader)
                names.append(String(decoding: record.name, as: UTF8.self))
                offset = record.next
            }
        }
    }
}

/// Lends a text as bytes.
@discardableResult
func bytes<Result>(
    _ text: String,
    _ body: (UnsafeRawBufferPointer) throws(LinuxABI.Errno) -> Result
) throws(LinuxABI.Errno) -> Result {
    var result: Swift.Result<Result, LinuxABI.Errno>?
    Array(text.utf8).withUnsafeBytes { bytes in
        do throws(LinuxABI.Errno) { result = .success(try body(bytes)) } catch {
            result = .failure(error)
        }
    }
    return try result!.get()
}
