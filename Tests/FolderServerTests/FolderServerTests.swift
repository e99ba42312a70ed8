import Foundation
import LinuxABI
import NineP
import Testing

@testable import FolderServer

/// Files of the host as a client of the server sees and changes them.
@Suite struct FolderServerTests {
    @Test func aFileThatIsMadeAndWrittenIsTheHosts() throws {
        let folder = try ServedFolder()
        let file = try folder.create("new", mode: 0o4640)
        #expect(try folder.write("hello", file) == 5)
        #expect(try folder.write("y!", file, at: 4) == 2)
        try folder.client.synchronize(file)
        #expect(try folder.contents("new") == "helly!")
        var status = stat()
        #expect(stat(folder.path + "/new", &status) == 0)
        #expect(status.st_mode == S_IFREG | 0o4640)
        #expect(throws: LinuxABI.Errno.fileExists) { try folder.create("new") }
    }

    @Test func aFileIsReadAsItIs() throws {
        let folder = try ServedFolder { path in
            try "0123456789".write(toFile: path + "/digits", atomically: false, encoding: .utf8)
        }
        let file = try folder.client.open(try folder.find("digits"), [])
        #expect(Array(try folder.client.read(file, at: 3, 4)) == Array("3456".utf8))
        #expect(Array(try folder.client.read(file, at: 8, 100)) == Array("89".utf8))
        #expect(try folder.client.read(file, at: 10, 100).isEmpty)
        #expect(throws: LinuxABI.Errno.badDescriptor) { try folder.write("no", file) }
        #expect(throws: LinuxABI.Errno.invalidArgument) {
            try folder.client.read(file, at: .max, 1)
        }
    }

    @Test func attributesAreThoseOfTheHost() throws {
        let folder = try ServedFolder { path in
            try "12345".write(toFile: path + "/file", atomically: false, encoding: .utf8)
            symlink("file", path + "/link")
        }
        var status = stat()
        let file = try folder.find("file")
        #expect(stat(folder.path + "/file", &status) == 0)
        let told = try folder.client.attributes(file)
        #expect(told.mode == status.st_mode && told.size == 5 && told.links == 1)
        #expect(told.user == status.st_uid && told.group == status.st_gid)
        #expect(told.identity.path == UInt64(status.st_ino) && told.identity.type == 0)
        #expect(told.modificationTime.nanoseconds == Int64(status.st_mtim.tv_nsec))
        let link = try folder.client.attributes(try folder.find("link"))
        #expect(link.mode & S_IFMT == S_IFLNK)
        #expect(link.identity.type == FileIdentity.symbolicLink)
        #expect(Array(try folder.client.readLink(try folder.find("link"))) == Array("file".utf8))
        #expect(try folder.client.attributes(folder.root).identity.type == FileIdentity.directory)
    }

    @Test func attributesAreChanged() throws {
        let folder = try ServedFolder { path in
            try "12345".write(toFile: path + "/file", atomically: false, encoding: .utf8)
        }
        var request = AttributeRequest()
        request.mode = 0o600
        request.size = 3
        request.modificationTime = FileTime(seconds: 1_000_000, nanoseconds: 5)
        try folder.client.setAttributes(try folder.find("file"), request)
        var status = stat()
        #expect(stat(folder.path + "/file", &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600 && status.st_size == 3)
        #expect(status.st_mtim.tv_sec == 1_000_000 && status.st_mtim.tv_nsec == 5)
    }

    @Test func namesAreMadeMovedAndRemoved() throws {
        let folder = try ServedFolder()
        let client = folder.client
        try bytes("sub") { (name) throws(LinuxABI.Errno) in
            try client.makeDirectory(name, in: folder.root, mode: 0o750, group: UInt32(getgid()))
        }
        let sub = try folder.find("sub")
        _ = try folder.create("a")
        let file = try folder.find("a")
        try bytes("b") { (name) throws(LinuxABI.Errno) in
            try client.link(file, as: name, in: sub)
        }
        #expect(try client.attributes(file).links == 2)
        try bytes("a") { (old) throws(LinuxABI.Errno) in
            try bytes("c") { (new) throws(LinuxABI.Errno) in
                try client.rename(old, in: folder.root, to: new, in: sub)
            }
        }
        #expect(Set(try folder.names()) == [".", "..", "sub"])
        #expect(throws: LinuxABI.Errno.directoryNotEmpty) {
            try bytes("sub") { (name) throws(LinuxABI.Errno) in
                try client.unlink(name, in: folder.root, isDirectory: true)
            }
        }
        for name in ["b", "c"] {
            try bytes(name) { (name) throws(LinuxABI.Errno) in
                try client.unlink(name, in: sub, isDirectory: false)
            }
        }
        // The number holds the file, though no name does.
        #expect(try client.attributes(file).links == 0)
        try bytes("sub") { (name) throws(LinuxABI.Errno) in
            try client.unlink(name, in: folder.root, isDirectory: true)
        }
        #expect(Set(try folder.names()) == [".", ".."])
    }

    @Test func twoThousandNamesAreAllTold() throws {
        let wanted = (0..<2000).map { "name-\($0)-\(String(repeating: "x", count: $0 % 200))" }
        let folder = try ServedFolder { path in
            for name in wanted { close(open("\(path)/\(name)", O_CREAT | O_WRONLY, 0o600)) }
        }
        let names = try folder.names()
        #expect(names.count == 2002)
        #expect(Set(names) == Set(wanted + [".", ".."]))
    }

    @Test func nothingIsWrittenToAFolderThatMayOnlyBeRead() throws {
        let folder = try ServedFolder(isReadOnly: true) { path in
            try "x".write(toFile: path + "/file", atomically: false, encoding: .utf8)
        }
        let client = folder.client
        let refused = LinuxABI.Errno.readOnlyFileSystem
        let file = try folder.find("file")
        #expect(throws: refused) { try folder.create("new") }
        #expect(throws: refused) { try client.open(file, .readWrite) }
        #expect(throws: refused) { try client.setAttributes(file, AttributeRequest()) }
        try bytes("file") { (name) throws(LinuxABI.Errno) in
            #expect(throws: refused) {
                try client.unlink(name, in: folder.root, isDirectory: false)
            }
            #expect(throws: refused) {
                try client.rename(name, in: folder.root, to: name, in: folder.root)
            }
        }
        try bytes("new") { (name) throws(LinuxABI.Errno) in
            #expect(throws: refused) {
                try client.makeDirectory(name, in: folder.root, mode: 0o700, group: 0)
            }
            #expect(throws: refused) {
                try client.makeSymbolicLink(name, in: folder.root, to: name, group: 0)
            }
            #expect(throws: refused) { try client.link(file, as: name, in: folder.root) }
            #expect(throws: refused) {
                try client.makeNode(name, in: folder.root, mode: S_IFIFO | 0o600, group: 0)
            }
        }
        let opened = try client.open(file, [])
        #expect(Array(try client.read(opened, at: 0, 10)) == Array("x".utf8))
        #expect(try folder.contents("file") == "x")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["file"])
    }
}
